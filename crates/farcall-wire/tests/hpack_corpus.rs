//! HPACK against recorded traffic: header blocks made by other implementations, and how well ours
//! compress.
//!
//! `tests/data/hpack-test-case.tar.xz` is a part of <https://github.com/http2jp/hpack-test-case>
//! (MIT, see `hpack-test-case.LICENSE` beside it): one folder per implementation, one file per
//! story, and the stories' lists alone in `raw-data`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bytes::BytesMut;
use farcall_wire::fields::Fields;
use farcall_wire::hpack::{Decoder, Encoder, ListLimits};
use serde_json::Value;

const ARCHIVE: &[u8] = include_bytes!("data/hpack-test-case.tar.xz");
const IMPLEMENTATIONS: [&str; 5] = [
    "go-hpack",
    "haskell-http2-linear-huffman",
    "haskell-http2-static",
    "nghttp2",
    "nghttp2-16384-4096",
];
const NO_LIMITS: ListLimits = ListLimits { max_fields: usize::MAX, max_size: usize::MAX };

/// The requests or the responses of one connection.
struct Story {
    /// As `nghttp2/story_00.json`.
    path: String,
    cases: Vec<Case>,
}

struct Case {
    table_size: Option<u32>,
    /// Empty in `raw-data`.
    wire: Vec<u8>,
    fields: Fields,
}

impl Story {
    fn folder(&self) -> &str {
        self.path.split('/').next().unwrap()
    }

    fn wire_len(&self) -> usize {
        self.cases.iter().map(|case| case.wire.len()).sum()
    }
}

#[test]
fn blocks_of_other_encoders_decode_to_their_lists() {
    let decoded_cases = AtomicUsize::new(0);
    for_each_story(|story| {
        if story.folder() == "raw-data" {
            return;
        }
        let mut decoder = Decoder::new(4096);
        for (number, case) in story.cases.iter().enumerate() {
            if let Some(size) = case.table_size {
                decoder.set_max_table_size(size);
            }
            let mut fields = Fields::new();
            let decoded = decoder.decode(&case.wire, NO_LIMITS, &mut fields);
            let decoded =
                decoded.unwrap_or_else(|error| panic!("{} case {number}: {error}", story.path));
            assert_same_list(&fields, &case.fields, &story.path, number);
            assert_eq!(decoded.size, fields.size(), "{} case {number}", story.path);
            assert!(decoded.malformed.is_none(), "{} case {number}: {decoded:?}", story.path);
            decoded_cases.fetch_add(1, Ordering::Relaxed);
        }
    });
    let stories = stories_by_folder();
    for folder in IMPLEMENTATIONS {
        assert!(stories.get(folder).is_some_and(|count| *count >= 31), "stories of {folder}");
    }
    println!("{} blocks of {} folders", decoded_cases.into_inner(), IMPLEMENTATIONS.len());
}

#[test]
fn stories_that_we_encode_come_back() {
    for_each_story(|story| {
        if story.folder() != "raw-data" {
            return;
        }
        let (mut encoder, mut decoder) = (Encoder::new(4096), Decoder::new(4096));
        for (number, case) in story.cases.iter().enumerate() {
            let mut block = BytesMut::new();
            encoder.encode(&case.fields, &mut block);
            let mut fields = Fields::new();
            decoder.decode(&block, NO_LIMITS, &mut fields).unwrap();
            assert_same_list(&fields, &case.fields, &story.path, number);
        }
    });
}

#[test]
fn our_blocks_are_at_most_three_percent_longer_than_those_of_nghttp2() {
    let (ours, theirs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for_each_story(|story| {
        if story.folder() != "nghttp2" {
            return;
        }
        let mut encoder = Encoder::new(4096);
        let mut blocks = BytesMut::new();
        for case in &story.cases {
            encoder.encode(&case.fields, &mut blocks);
        }
        ours.fetch_add(blocks.len(), Ordering::Relaxed);
        theirs.fetch_add(story.wire_len(), Ordering::Relaxed);
    });
    let (ours, theirs) = (ours.into_inner(), theirs.into_inner());
    println!("ours {ours} octets, nghttp2 {theirs} octets");
    assert!(ours * 100 <= theirs * 103, "ours {ours} octets, nghttp2 {theirs} octets");
}

fn assert_same_list(got: &Fields, expected: &Fields, path: &str, number: usize) {
    // `Fields` also compares which are sensitive, which the stories do not say.
    let got = got.iter().map(|field| (field.name, field.value));
    let expected = expected.iter().map(|field| (field.name, field.value));
    assert!(got.clone().eq(expected), "{path} case {number}: {:?}", got.collect::<Vec<_>>());
}

/// Calls `work` with all stories, on a few threads.
fn for_each_story(work: impl Fn(&Story) + Sync) {
    let next = AtomicUsize::new(0);
    let stories = stories();
    thread::scope(|scope| {
        for _ in 0..thread_count() {
            scope.spawn(|| {
                while let Some(story) = stories.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(story);
                }
            });
        }
    });
}

fn thread_count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn stories_by_folder() -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for story in stories() {
        *counts.entry(story.folder()).or_default() += 1;
    }
    counts
}

fn stories() -> &'static [Story] {
    static STORIES: OnceLock<Vec<Story>> = OnceLock::new();
    STORIES.get_or_init(|| {
        let files = unpack();
        let share = files.len().div_ceil(thread_count());
        thread::scope(|scope| {
            let parse =
                |share: &[(String, Vec<u8>)]| share.iter().map(parse_story).collect::<Vec<_>>();
            let threads: Vec<_> =
                files.chunks(share).map(|share| scope.spawn(move || parse(share))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    })
}

/// The archive's stories, by path.
fn unpack() -> Vec<(String, Vec<u8>)> {
    let mut tar = Vec::new();
    lzma_rs::xz_decompress(&mut &ARCHIVE[..], &mut tar).unwrap();
    let mut files = Vec::new();
    for entry in tar::Archive::new(&tar[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().trim_start_matches("./").to_owned();
        if path.contains("/story_") {
            let mut text = Vec::new();
            entry.read_to_end(&mut text).unwrap();
            files.push((path, text));
        }
    }
    files
}

fn parse_story((path, text): &(String, Vec<u8>)) -> Story {
    let story: Value = serde_json::from_slice(text).unwrap();
    let cases = story["cases"].as_array().unwrap().iter().map(parse_case).collect();
    Story { path: path.clone(), cases }
}

fn parse_case(case: &Value) -> Case {
    let mut fields = Fields::new();
    for field in case["headers"].as_array().unwrap() {
        for (name, value) in field.as_object().unwrap() {
            fields.push(name, value.as_str().unwrap());
        }
    }
    let table_size = case["header_table_size"].as_u64().map(|size| u32::try_from(size).unwrap());
    let wire = case["wire"].as_str().map(from_hex).unwrap_or_default();
    Case { table_size, wire, fields }
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
