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

/// All that compress.
fn compressing() -> impl Iterator<Item = Encoding> {
    Encoding::ALL.iter().copied().filter(|encoding| *encoding != Encoding::Identity)
}

fn compress(encoding: Encoding, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encoding.compress(plain, &mut out).unwrap();
    out
}

#[test]
fn what_any_encoding_compressed_comes_back() {
    let plains =
        [vec![], b"a".to_vec(), b"hello hello hello".to_vec(), vec![0; 314_159], noise(100_000)];
    for encoding in compressing() {
        for plain in &plains {
            let mut out = b"before".to_vec();
            encoding.compress(plain, &mut out).unwrap();
            assert_eq!(&out[..6], b"before");
            let back = encoding.decompress(&out.split_off(6).into(), MIB).unwrap();
            assert_eq!(back, plain, "{encoding}");
        }
    }
}

#[test]
fn g03_a_mib_of_zeros_passes_its_limit_and_a_byte_more_does_not_in_any_encoding() {
    for encoding in compressing() {
        let data = Bytes::from(compress(encoding, &vec![0; MIB]));
        assert!(data.len() < 64 * 1024, "{encoding}");
        assert_eq!(encoding.decompress(&data, MIB).unwrap().len(), MIB);
        for limit in [0, 1, 4095, 4096, 4097, MIB / 2, MIB - 1] {
            let status = encoding.decompress(&data, limit).unwrap_err();
            assert_eq!(status.code(), Code::ResourceExhausted, "{encoding} {limit}");
        }
    }
}

#[test]
fn g03_the_limit_is_exact_in_any_encoding() {
    for encoding in compressing() {
        for len in [1, 4095, 4096, 4097, 100_000] {
            let data = Bytes::from(compress(encoding, &noise(len)));
            assert_eq!(encoding.decompress(&data, len).unwrap().len(), len, "{encoding}");
            let status = encoding.decompress(&data, len - 1).unwrap_err();
            assert_eq!(status.code(), Code::ResourceExhausted, "{encoding}");
        }
    }
}

#[test]
fn g03_no_byte_is_an_empty_message_in_any_encoding() {
    for encoding in compressing() {
        assert_eq!(encoding.decompress(&Bytes::new(), 0).unwrap(), Bytes::new());
    }
}

#[test]
fn g03_trailing_junk_is_refused_in_any_encoding() {
    for encoding in compressing() {
        let one = compress(encoding, b"one");
        for more in [b"junk".to_vec(), vec![0]] {
            let status =
                encoding.decompress(&[one.clone(), more].concat().into(), MIB).unwrap_err();
            assert_eq!(status.code(), Code::Internal, "{encoding}");
        }
        // Snappy's frames have no end mark: one behind the other is one.
        if encoding.name() != "snappy" {
            let two = [one.clone(), compress(encoding, b"two")].concat();
            let status = encoding.decompress(&two.into(), MIB).unwrap_err();
            assert_eq!(status.code(), Code::Internal, "{encoding}");
            assert!(status.message().contains("expected one"), "{status}");
        }
    }
}

#[test]
fn broken_and_cut_data_is_internal_in_any_encoding() {
    for encoding in compressing() {
        let good = compress(encoding, b"some text that is long enough to be cut");
        for len in 1..good.len() {
            let cut = Bytes::copy_from_slice(&good[..len]);
            // What Snappy's framing has before its first chunk is a whole, empty stream.
            if encoding.name() == "snappy" && len == 10 {
                assert_eq!(encoding.decompress(&cut, MIB).unwrap(), Bytes::new());
                continue;
            }
            let status = encoding.decompress(&cut, MIB).unwrap_err();
            assert_eq!(status.code(), Code::Internal, "{encoding} cut at {len}");
        }
        let plain = Bytes::from_static(b"plain text, which is in no encoding at all");
        assert_eq!(encoding.decompress(&plain, MIB).unwrap_err().code(), Code::Internal);
    }
}

#[cfg(feature = "compression")]
#[test]
fn g03_a_zstd_frame_with_a_large_window_is_refused() {
    // RFC 8878 section 3.1.1: magic, a descriptor without anything, a window, an empty last block.
    let frame = |window: u8| Bytes::from(vec![0x28, 0xb5, 0x2f, 0xfd, 0, window, 1, 0, 0]);
    // The exponent is in the upper five bits, above 10.
    let window = |log: u8| (log - 10) << 3;
    assert_eq!(Encoding::Zstd.decompress(&frame(window(23)), MIB).unwrap(), Bytes::new());
    for log in [24, 27, 31, 41] {
        let status = Encoding::Zstd.decompress(&frame(window(log)), MIB).unwrap_err();
        assert_eq!(status.code(), Code::Internal, "{log}");
    }
}

#[cfg(feature = "compression")]
#[test]
fn deflate_is_the_format_of_rfc_1950() {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(b"hello").unwrap();
    let data = zlib.finish().unwrap().into();
    assert_eq!(Encoding::Deflate.decompress(&data, MIB).unwrap(), "hello");
}

#[test]
fn a_quality_of_zero_rules_an_encoding_out() {
    let accepted = |list: &[u8]| Encodings::from_list(list).contains(Encoding::Gzip);
    assert!(accepted(b"gzip") && accepted(b"gzip;q=0.5") && accepted(b"gzip; q=1"));
    assert!(!accepted(b"gzip;q=0") && !accepted(b"gzip; q=0.000") && !accepted(b"GZIP"));
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
    for name in [&b""[..], b"GZIP", b"gzip ", b"x-gzip", b"lz4"] {
        assert_eq!(Encoding::from_name(name), None);
    }
}

#[test]
fn a_list_of_encodings_keeps_those_that_are_known() {
    let list = Encodings::from_list(b"identity, compress , gzip,lz4,");
    assert_eq!(list.iter().collect::<Vec<_>>(), [Encoding::Identity, Encoding::Gzip]);
    assert_eq!(Encodings::from_list(b""), Encodings::IDENTITY);
    assert!(!Encodings::from_list(b"lz4").contains(Encoding::Gzip));
    assert!(Encodings::default().contains(Encoding::Identity));
    assert_eq!(format!("{list:?}"), "{Identity, Gzip}");
}
