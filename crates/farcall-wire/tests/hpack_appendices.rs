//! The tables and examples of RFC 7541's appendices.

use std::fmt::Write as _;

use bytes::BytesMut;
use farcall_wire::fields::Fields;
use farcall_wire::hpack::{Decoder, Encoder, Error, ListLimits};

const LIMITS: ListLimits = ListLimits { max_fields: 100, max_size: 16 * 1024 };

fn from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<Fields, Error> {
    let mut fields = Fields::new();
    decoder.decode(block, LIMITS, &mut fields).map(|_| fields)
}

/// Decodes blocks in order with one table of `table_size` octets.
fn assert_decodes(table_size: u32, blocks: &[(&str, &[(&str, &str)])]) {
    let mut decoder = Decoder::new(table_size);
    for (block, expected) in blocks {
        let expected: Fields = expected.iter().copied().collect();
        assert_eq!(decode(&mut decoder, &from_hex(block)), Ok(expected), "{block}");
    }
}

/// Appendix A: name and value by index; names without a value end in a colon.
const STATIC_TABLE: &str = "\
    :authority:|:method: GET|:method: POST|:path: /|:path: /index.html|:scheme: http|\
    :scheme: https|:status: 200|:status: 204|:status: 206|:status: 304|:status: 400|\
    :status: 404|:status: 500|accept-charset:|accept-encoding: gzip, deflate|accept-language:|\
    accept-ranges:|accept:|access-control-allow-origin:|age:|allow:|authorization:|\
    cache-control:|content-disposition:|content-encoding:|content-language:|content-length:|\
    content-location:|content-range:|content-type:|cookie:|date:|etag:|expect:|expires:|from:|\
    host:|if-match:|if-modified-since:|if-none-match:|if-range:|if-unmodified-since:|\
    last-modified:|link:|location:|max-forwards:|proxy-authenticate:|proxy-authorization:|\
    range:|referer:|refresh:|retry-after:|server:|set-cookie:|strict-transport-security:|\
    transfer-encoding:|user-agent:|vary:|via:|www-authenticate:";

#[test]
fn a_static_table() {
    let entries: Vec<_> = STATIC_TABLE.split('|').collect();
    assert_eq!(entries.len(), 61);
    for (index, entry) in (1_u8..).zip(entries) {
        let (name, value) = entry
            .strip_suffix(':')
            .map_or_else(|| entry.split_once(": ").unwrap(), |name| (name, ""));
        let expected: Fields = [(name, value)].into_iter().collect();
        assert_eq!(decode(&mut Decoder::new(4096), &[0x80 | index]), Ok(expected.clone()));
        if name == "cookie" || name.ends_with("authorization") {
            // Secrets are literals, even empty ones.
            continue;
        }
        let mut block = BytesMut::new();
        Encoder::new(4096).encode(&expected, &mut block);
        assert_eq!(block[..], [0x80 | index], "{entry}");
    }
}

/// Appendix B, in order of the symbols: code in hexadecimal, right-aligned, and its length in bits.
/// EOS is last.
const HUFFMAN_CODE: &str = include_str!("data/huffman-code.txt");

fn huffman_code() -> Vec<(u32, usize)> {
    let code = |entry: &str| {
        let (code, length) = entry.split_once('/').unwrap();
        (u32::from_str_radix(code, 16).unwrap(), length.parse().unwrap())
    };
    HUFFMAN_CODE.split_whitespace().map(code).collect()
}

/// The octets of `codes`, padded with ones.
fn pack(codes: &[(u32, usize)]) -> Vec<u8> {
    let mut bits = String::new();
    for &(code, length) in codes {
        write!(bits, "{code:0length$b}").unwrap();
    }
    while !bits.len().is_multiple_of(8) {
        bits.push('1');
    }
    let octet = |octet: &[u8]| u8::from_str_radix(std::str::from_utf8(octet).unwrap(), 2).unwrap();
    bits.as_bytes().chunks(8).map(octet).collect()
}

/// A literal without indexing, named `a`, whose value is this Huffman code.
fn literal_of(code: &[u8]) -> Vec<u8> {
    let mut block = vec![0x00, 0x01, b'a', 0x80 | code.len() as u8];
    block.extend_from_slice(code);
    block
}

fn decode_value(code: &[u8]) -> Result<Vec<u8>, Error> {
    let fields = decode(&mut Decoder::new(4096), &literal_of(code))?;
    Ok(fields.get("a").unwrap().to_vec())
}

#[test]
fn b_each_symbol_decodes() {
    let codes = huffman_code();
    assert_eq!(codes.len(), 257);
    for (symbol, &code) in (0..=255).zip(&codes) {
        assert_eq!(decode_value(&pack(&[code])), Ok(vec![symbol]), "{symbol}");
        assert_eq!(
            decode_value(&pack(&[codes[0], code, code])),
            Ok(vec![0, symbol, symbol]),
            "{symbol}"
        );
    }
}

#[test]
fn b_each_symbol_encodes() {
    let codes = huffman_code();
    for symbol in 0..=255 {
        // The zeros make the Huffman code the shorter one.
        let mut value = vec![b'0'; 41];
        value[20] = symbol;
        let fields: Fields = [(b"a", &value)].into_iter().collect();
        let mut block = BytesMut::new();
        Encoder::new(0).encode(&fields, &mut block);
        let expected = pack(&value.iter().map(|&octet| codes[octet as usize]).collect::<Vec<_>>());
        assert_eq!(block[..], literal_of(&expected), "{symbol}");
    }
}

#[test]
fn b_end_of_string_is_an_error() {
    let codes = huffman_code();
    assert_eq!(decode_value(&pack(&[codes[256]])), Err(Error::Huffman));
    assert_eq!(
        decode_value(&pack(&[codes[usize::from(b'a')], codes[256], codes[0]])),
        Err(Error::Huffman)
    );
}

#[test]
fn b_padding_is_at_most_seven_ones() {
    assert_eq!(decode_value(b""), Ok(vec![]));
    assert_eq!(decode_value(&[0b0001_1111]), Ok(b"a".to_vec()));
    assert_eq!(decode_value(&[0b0001_1000]), Err(Error::Huffman));
    assert_eq!(decode_value(&[0b0001_1110]), Err(Error::Huffman));
    assert_eq!(decode_value(&[0b0001_1111, 0xff]), Err(Error::Huffman));
    assert_eq!(decode_value(&[0xff]), Err(Error::Huffman));
    // 'X' takes eight bits: no padding is needed, and none of eight bits is allowed.
    assert_eq!(decode_value(&[0xfc]), Ok(b"X".to_vec()));
    assert_eq!(decode_value(&[0xfc, 0xff]), Err(Error::Huffman));
}

#[test]
fn c_2_representations() {
    assert_decodes(
        4096,
        &[
            (
                "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
                &[("custom-key", "custom-header")],
            ),
            ("be", &[("custom-key", "custom-header")]),
        ],
    );
    assert_decodes(4096, &[("040c2f73616d706c652f70617468", &[(":path", "/sample/path")])]);
    let password =
        decode(&mut Decoder::new(4096), &from_hex("100870617373776f726406736563726574")).unwrap();
    let mut expected = Fields::new();
    expected.push_sensitive("password", "secret");
    assert_eq!(password, expected);
    assert_decodes(4096, &[("82", &[(":method", "GET")])]);
}

const REQUESTS: [&[(&str, &str)]; 3] = [
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")],
    &[
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "www.example.com"),
        ("cache-control", "no-cache"),
    ],
    &[
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ],
];

const HUFFMAN_REQUESTS: [&str; 3] = [
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
];

#[test]
fn c_3_requests_without_huffman_coding() {
    let blocks = [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ];
    assert_decodes(
        4096,
        &[(blocks[0], REQUESTS[0]), (blocks[1], REQUESTS[1]), (blocks[2], REQUESTS[2])],
    );
}

#[test]
fn c_4_requests_with_huffman_coding() {
    let blocks = HUFFMAN_REQUESTS;
    assert_decodes(
        4096,
        &[(blocks[0], REQUESTS[0]), (blocks[1], REQUESTS[1]), (blocks[2], REQUESTS[2])],
    );
}

#[test]
fn c_4_requests_encode_as_in_the_examples() {
    let mut encoder = Encoder::new(4096);
    for (request, expected) in REQUESTS.into_iter().zip(HUFFMAN_REQUESTS) {
        let mut block = BytesMut::new();
        encoder.encode(&request.iter().copied().collect::<Fields>(), &mut block);
        assert_eq!(block[..], from_hex(expected));
    }
}

const RESPONSES: [&[(&str, &str)]; 3] = [
    &[
        (":status", "302"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    &[
        (":status", "307"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    &[
        (":status", "200"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
        ("location", "https://www.example.com"),
        ("content-encoding", "gzip"),
        ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    ],
];

#[test]
fn c_5_responses_without_huffman_coding_with_eviction() {
    let blocks = [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d\
         546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f\
         6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b\
         2076657273696f6e3d31",
    ];
    assert_decodes(
        256,
        &[(blocks[0], RESPONSES[0]), (blocks[1], RESPONSES[1]), (blocks[2], RESPONSES[2])],
    );
}

#[test]
fn c_6_responses_with_huffman_coding_with_eviction() {
    let blocks = [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c7\
         8f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335\
         dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ];
    assert_decodes(
        256,
        &[(blocks[0], RESPONSES[0]), (blocks[1], RESPONSES[1]), (blocks[2], RESPONSES[2])],
    );
}
