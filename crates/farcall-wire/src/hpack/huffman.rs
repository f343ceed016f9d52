//! The Huffman code of string literals (RFC 7541 section 5.2 and appendix B).
//!
//! The code is canonical: among symbols of equal length, and from length to length, codes follow
//! the order of the symbols. Hence the lengths say all; the tables are computed from them by the
//! compiler.

use super::Error;

/// The end-of-string symbol: its code may only be cut short, as padding.
const EOS: usize = 256;

const SYMBOLS: usize = 257;
const MIN_LENGTH: usize = 5;
const MAX_LENGTH: usize = 30;

/// Bits of each symbol's code, in order of the symbols.
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

/// The code of each octet, right-aligned, and its length in bits.
static CODES: [(u32, u8); 256] = {
    let mut codes = [(0, 0); 256];
    let mut position = 0;
    while position < SYMBOLS {
        let symbol = RANKED.symbols[position] as usize;
        if symbol != EOS {
            let length = LENGTHS[symbol];
            let rank = position as u32 - RANKED.lengths[length as usize].first_position;
            codes[symbol] = (RANKED.lengths[length as usize].first_code + rank, length);
        }
        position += 1;
    }
    codes
};

/// Symbol and length for each octet that begins with a code of at most 8 bits; length 0 where none
/// does.
static SHORT: [(u8, u8); 256] = {
    let mut short = [(0, 0); 256];
    let mut octet = 0;
    while octet < 256 {
        let mut length = MIN_LENGTH;
        while length <= 8 {
            let code = (octet >> (8 - length)) as u32;
            let row = RANKED.lengths[length];
            if code < row.end_code {
                let position = row.first_position + code - row.first_code;
                short[octet] = (RANKED.symbols[position as usize] as u8, length as u8);
                break;
            }
            length += 1;
        }
        octet += 1;
    }
    short
};

/// The symbols in order of their codes.
struct Ranked {
    symbols: [u16; SYMBOLS],
    /// By length in bits.
    lengths: [Row; MAX_LENGTH + 1],
}

/// The codes of one length.
#[derive(Clone, Copy)]
struct Row {
    first_code: u32,
    /// Behind the last code; also behind all shorter codes' extensions, so that `code < end_code`
    /// finds the length.
    end_code: u32,
    first_position: u32,
}

static RANKED_TABLE: Ranked = RANKED;

const RANKED: Ranked = {
    let mut ranked = Ranked {
        symbols: [0; SYMBOLS],
        lengths: [Row { first_code: 0, end_code: 0, first_position: 0 }; MAX_LENGTH + 1],
    };
    let mut position = 0;
    let mut code = 0;
    let mut length = MIN_LENGTH;
    while length <= MAX_LENGTH {
        code <<= 1;
        let (first_code, first_position) = (code, position as u32);
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == length {
                ranked.symbols[position] = symbol as u16;
                position += 1;
                code += 1;
            }
            symbol += 1;
        }
        ranked.lengths[length] = Row { first_code, end_code: code, first_position };
        length += 1;
    }
    ranked
};

/// Octets that `text` takes in Huffman code.
pub(super) fn encoded_len(text: &[u8]) -> usize {
    let bits: usize = text.iter().map(|&octet| CODES[octet as usize].1 as usize).sum();
    bits.div_ceil(8)
}

/// Writes `text` in Huffman code to `out`, which is [`encoded_len`] octets long.
pub(super) fn encode(text: &[u8], out: &mut [u8]) {
    let mut out = out.iter_mut();
    let mut put = |octet: u8| {
        if let Some(slot) = out.next() {
            *slot = octet;
        }
    };
    // The low `count` bits of `bits` are not written yet; fewer than 8 between symbols.
    let (mut bits, mut count) = (0_u64, 0_u32);
    for &octet in text {
        let (code, length) = CODES[octet as usize];
        bits = bits << length | u64::from(code);
        count += u32::from(length);
        while count >= 8 {
            count -= 8;
            put((bits >> count) as u8);
        }
    }
    if count > 0 {
        put((bits << (8 - count)) as u8 | 0xff >> count);
    }
}

/// Appends the text of `code` to `out`, at most 8/5 of its length.
pub(super) fn decode(code: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    out.reserve(code.len() * 8 / MIN_LENGTH);
    let mut octets = code.iter();
    // The high `count` bits of `bits` are not decoded yet; the bits below are 0.
    let (mut bits, mut count) = (0_u64, 0_u32);
    loop {
        while count <= 56 {
            let Some(&octet) = octets.next() else { break };
            bits |= u64::from(octet) << (56 - count);
            count += 8;
        }
        // Behind the end, read ones: what is left there is then a cut EOS.
        let ones = u64::MAX.checked_shr(count).unwrap_or(0);
        let window = ((bits | ones) >> 32) as u32;
        let (symbol, length) = first_symbol(window);
        if length > count {
            let padding_is_legal = count < 8 && window == u32::MAX;
            return if padding_is_legal { Ok(()) } else { Err(Error::Huffman) };
        }
        out.push(u8::try_from(symbol).map_err(|_| Error::Huffman)?);
        bits <<= length;
        count -= length;
    }
}

/// The symbol whose code begins `window`, and its length in bits.
fn first_symbol(window: u32) -> (u16, u32) {
    let (symbol, length) = SHORT[(window >> 24) as usize];
    if length > 0 { (u16::from(symbol), u32::from(length)) } else { first_long_symbol(window) }
}

/// As [`first_symbol`], for codes of more than 8 bits.
fn first_long_symbol(window: u32) -> (u16, u32) {
    let Ranked { symbols, lengths } = &RANKED_TABLE;
    for (length, row) in (0_u32..).zip(lengths).skip(9) {
        let code = window >> (32 - length);
        if code < row.end_code {
            return (symbols[(row.first_position + code - row.first_code) as usize], length);
        }
    }
    // The code is complete: every window begins with a symbol of it, the last of which is EOS.
    (EOS as u16, MAX_LENGTH as u32)
}
