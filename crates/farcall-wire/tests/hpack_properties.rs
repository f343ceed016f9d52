//! HPACK over random sequences: encoder and decoder agree for as long as a connection lives, and no
//! input breaks them.

use bytes::BytesMut;
use farcall_wire::fields::{Field, Fields};
use farcall_wire::hpack::{Decoder, Encoder, ListLimits};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed};

const NO_LIMITS: ListLimits = ListLimits { max_fields: usize::MAX, max_size: usize::MAX };

fn config(cases: u32) -> Config {
    Config {
        cases,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(7541),
        failure_persistence: None,
        ..Config::default()
    }
}

/// What happens between two blocks or makes one.
#[derive(Clone, Debug)]
enum Step {
    TableSize(u32),
    List { fields: Fields, limits: ListLimits },
}

fn step() -> impl Strategy<Value = Step> {
    let table_size = prop_oneof![0..200_u32, 0..5000_u32, Just(65536)];
    let limits = prop_oneof![
        4 => Just(NO_LIMITS),
        1 => (0..8_usize, 0..500_usize)
            .prop_map(|(max_fields, max_size)| ListLimits { max_fields, max_size }),
    ];
    let list = (vec(field(), 0..12), limits)
        .prop_map(|(fields, limits)| Step::List { fields: collect(&fields), limits });
    prop_oneof![1 => table_size.prop_map(Step::TableSize), 8 => list]
}

type OwnedField = (Vec<u8>, Vec<u8>, bool);

/// Few names and values, so that fields come again, and some of any octets.
fn field() -> impl Strategy<Value = OwnedField> {
    let name = prop_oneof![
        4 => prop::sample::select(vec![
            ":path", ":method", "cookie", "authorization", "te", "grpc-timeout", "x-a", "x-b",
            "user-agent", "etag",
        ])
        .prop_map(|name| name.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..20),
    ];
    let value = prop_oneof![
        4 => (0..6_u8).prop_map(|number| format!("value-{number}").into_bytes()),
        1 => "[ -~]{0,200}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..60),
        1 => (2900..4200_usize).prop_map(|len| vec![b'x'; len]),
    ];
    (name, value, prop::bool::weighted(0.1))
}

fn collect(fields: &[OwnedField]) -> Fields {
    let mut list = Fields::new();
    for (name, value, sensitive) in fields {
        list.push_field(Field { name, value, sensitive: *sensitive });
    }
    list
}

fn is_same(left: Field<'_>, right: Field<'_>) -> bool {
    left.name == right.name && left.value == right.value
}

proptest! {
    #![proptest_config(config(50))]

    #[test]
    fn decoding_undoes_encoding(steps in vec(step(), 1..60)) {
        let (mut encoder, mut decoder) = (Encoder::new(4096), Decoder::new(4096));
        for step in steps {
            let (sent, limits) = match step {
                Step::TableSize(size) => {
                    encoder.set_max_table_size(size);
                    decoder.set_max_table_size(size);
                    continue;
                }
                Step::List { fields, limits } => (fields, limits),
            };
            let mut block = BytesMut::new();
            encoder.encode(&sent, &mut block);
            let mut received = Fields::new();
            let decoded = decoder.decode(&block, limits, &mut received).unwrap();
            prop_assert_eq!((decoded.size, decoded.count), (sent.size(), sent.len()));
            let is_over = sent.len() > limits.max_fields || sent.size() > limits.max_size;
            prop_assert_eq!(decoded.over_limit, is_over);
            prop_assert!(is_over || received.len() == sent.len());
            prop_assert!(received.len() <= limits.max_fields && received.size() <= limits.max_size);
            prop_assert!(received.iter().zip(&sent).all(|(left, right)| is_same(left, right)));
            let mut secrets = sent.iter().zip(&received).filter(|(field, _)| field.sensitive);
            prop_assert!(secrets.all(|(_, field)| field.sensitive));
        }
    }

    #[test]
    fn random_octets_never_panic(
        blocks in vec(vec(any::<u8>(), 0..200), 1..20),
        table_size in 0..5000_u32,
    ) {
        let mut decoder = Decoder::new(table_size);
        for block in blocks {
            let limits = ListLimits { max_fields: 20, max_size: 1000 };
            let mut fields = Fields::new();
            match decoder.decode(&block, limits, &mut fields) {
                Ok(_) => prop_assert!(fields.len() <= 20 && fields.size() <= 1000),
                Err(_) => break,
            }
        }
    }

    #[test]
    fn damaged_blocks_never_panic(
        lists in vec(vec(field(), 1..8), 1..6),
        place in any::<usize>(),
        octet in any::<u8>(),
    ) {
        let (mut encoder, mut decoder) = (Encoder::new(4096), Decoder::new(4096));
        for list in lists {
            let mut block = BytesMut::new();
            encoder.encode(&collect(&list), &mut block);
            let place = place % block.len();
            block[place] = octet;
            if decoder.decode(&block, NO_LIMITS, &mut Fields::new()).is_err() {
                break;
            }
        }
    }

    #[test]
    fn any_value_comes_back_through_huffman_code(value in vec(any::<u8>(), 0..300)) {
        let fields: Fields = [("zzzzzzzz", &value)].into_iter().collect();
        let padded: Fields = [("x", [&[b'0'; 1000][..], &value].concat())].into_iter().collect();
        for sent in [fields, padded] {
            let mut block = BytesMut::new();
            Encoder::new(0).encode(&sent, &mut block);
            let mut received = Fields::new();
            Decoder::new(0).decode(&block, NO_LIMITS, &mut received).unwrap();
            prop_assert_eq!(received, sent);
        }
    }
}
