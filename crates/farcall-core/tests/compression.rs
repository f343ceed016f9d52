//! Message encodings: compression.md.

use std::io::Write;

use bytes::Bytes;
use farcall_core::{Code, Encoding, Encodings};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

const MIB: usize = 1024 * 1024;

/// Compressed by the library's writer, which is not what the crate uses.
fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(data: impl Into<Bytes>, limit: usize) -> farcall_core::Result<Bytes> {
    Encoding::Gzip.decompress(&data.into(), limit)
}

/// Bytes that look random, the same each time.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..len).map(step).collect()
}

#[test]
fn what_was_compressed_comes_back() {
    let plains =
        [vec![], b"a".to_vec(), b"hello hello hello".to_vec(), vec![0; 314_159], noise(100_000)];
    for plain in plains {
        let mut ours = b"before".to_vec();
        Encoding::Gzip.compress(&plain, &mut ours).unwrap();
        assert_eq!(&ours[..6], b"before");
        assert_eq!(gunzip(ours.split_off(6), MIB).unwrap(), plain);
        assert_eq!(gunzip(gzip(&plain), MIB).unwrap(), plain);
    }
}

#[test]
fn g03_four_mib_of_zeros_pass_a_limit_of_four_mib() {
    let data = gzip(&vec![0; 4 * MIB]);
    assert!(data.len() < 40 * 1024);
    assert_eq!(gunzip(data, 4 * MIB).unwrap().len(), 4 * MIB);
}

#[test]
fn g03_a_bomb_is_stopped_at_the_limit() {
    let data = gzip(&vec![0; 2 * MIB]);
    for limit in [0, 1, 4095, 4096, 4097, MIB] {
        let status = gunzip(data.clone(), limit).unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(
            status.message(),
            format!("decompressed message has more than {limit} bytes, the limit")
        );
    }
}

#[test]
fn g03_the_limit_is_exact() {
    for len in [1, 4095, 4096, 4097, 100_000] {
        let data = gzip(&noise(len));
        assert_eq!(gunzip(data.clone(), len).unwrap().len(), len);
        assert_eq!(gunzip(data, len - 1).unwrap_err().code(), Code::ResourceExhausted);
    }
}

#[test]
fn g03_several_members_and_trailing_junk_are_refused() {
    let one = gzip(b"one");
    for more in [gzip(b"two"), b"junk".to_vec(), vec![0]] {
        let status = gunzip([one.clone(), more].concat(), MIB).unwrap_err();
        assert_eq!(status.code(), Code::Internal);
        assert!(status.message().contains("follow the end of the gzip data"), "{status}");
    }
}

#[test]
fn g03_no_byte_compressed_is_an_empty_message() {
    assert_eq!(gunzip(Bytes::new(), 0).unwrap(), Bytes::new());
}

#[test]
fn could_not_decompress_is_internal() {
    let good = gzip(b"some text that is long enough to be cut");
    for len in 1..good.len() {
        assert_eq!(
            gunzip(good[..len].to_vec(), MIB).unwrap_err().code(),
            Code::Internal,
            "cut at {len}"
        );
    }
    let mut wrong_sum = good.clone();
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(b"another format").unwrap();
    for data in [wrong_sum, zlib.finish().unwrap(), b"plain text".to_vec()] {
        assert_eq!(gunzip(data, MIB).unwrap_err().code(), Code::Internal);
    }
}

#[test]
fn identity_changes_nothing() {
    let data = Bytes::from_static(b"plain");
    assert_eq!(Encoding::Identity.decompress(&data, 0).unwrap(), data);
    let mut out = Vec::new();
    Encoding::Identity.compress(b"plain", &mut out).unwrap();
    assert_eq!(out, b"plain");
}

#[test]
fn names_are_those_of_the_content_coding() {
    let names: Vec<_> = Encoding::ALL.iter().map(|encoding| encoding.name()).collect();
    let expected: &[&str] = if cfg!(feature = "compression") {
        &["identity", "zstd", "gzip", "br", "deflate", "snappy"]
    } else {
        &["identity", "gzip"]
    };
    assert_eq!(names, expected);
    assert_eq!(Encoding::from_name(b"gzip"), Some(Encoding::Gzip));
    for name in [&b""[..], b"GZIP", b"gzip ", b"br", b"snappy"] {
        assert_eq!(Encoding::from_name(name), None);
    }
}

#[test]
fn a_list_of_encodings_keeps_those_that_are_known() {
    let list = Encodings::from_list(b"identity, deflate , gzip,br,");
    assert_eq!(list.iter().collect::<Vec<_>>(), [Encoding::Identity, Encoding::Gzip]);
    assert_eq!(Encodings::from_list(b""), Encodings::IDENTITY);
    assert!(!Encodings::from_list(b"deflate").contains(Encoding::Gzip));
    assert!(Encodings::default().contains(Encoding::Identity));
    assert_eq!(format!("{list:?}"), "{Identity, Gzip}");
}
