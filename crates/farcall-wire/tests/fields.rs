//! A list of fields keeps order, repeats and secrets.

use farcall_wire::fields::{Field, Fields};

fn sample() -> Fields {
    [("a", "1"), ("via", "first"), ("b", ""), ("via", "second")].into_iter().collect()
}

fn pairs(fields: &Fields) -> Vec<(&[u8], &[u8])> {
    fields.iter().map(|field| (field.name, field.value)).collect()
}

#[test]
fn fields_keep_their_order_and_repeats() {
    let fields = sample();
    let expected: [(&[u8], &[u8]); 4] =
        [(b"a", b"1"), (b"via", b"first"), (b"b", b""), (b"via", b"second")];
    assert_eq!(pairs(&fields), expected);
    assert_eq!((fields.len(), fields.iter().len(), fields.is_empty()), (4, 4, false));
}

#[test]
fn get_finds_the_first_and_get_all_finds_all() {
    let fields = sample();
    assert_eq!(fields.get("via"), Some(&b"first"[..]));
    assert_eq!(fields.get_all("via").collect::<Vec<_>>(), [&b"first"[..], b"second"]);
    assert_eq!(fields.get("b"), Some(&b""[..]));
    assert_eq!(fields.get("Via"), None);
    assert_eq!(fields.get_all("c").count(), 0);
}

#[test]
fn size_counts_32_octets_for_each_field() {
    assert_eq!(Fields::new().size(), 0);
    assert_eq!(sample().size(), "a1viafirstbviasecond".len() + 4 * 32);
    assert_eq!(Field::new(b"a", b"1").size(), 34);
}

#[test]
fn remove_takes_all_fields_of_a_name() {
    let mut fields = sample();
    assert_eq!(fields.remove("via"), 2);
    assert_eq!(fields, [("a", "1"), ("b", "")].into_iter().collect());
    fields.push("c", "3");
    assert_eq!(fields.get("c"), Some(&b"3"[..]));
    assert_eq!(fields.remove("via"), 0);
    assert_eq!(fields.remove("a"), 1);
    assert_eq!(pairs(&fields), [(&b"b"[..], &b""[..]), (b"c", b"3")]);
}

#[test]
fn extend_appends_another_list() {
    let mut fields: Fields = [("x", "0")].into_iter().collect();
    fields.extend(&sample());
    assert_eq!(fields.len(), 5);
    assert_eq!(fields.get("via"), Some(&b"first"[..]));
    assert_eq!(fields.get_all("via").last(), Some(&b"second"[..]));
}

#[test]
fn clear_removes_all_fields() {
    let mut fields = sample();
    fields.clear();
    assert!(fields.is_empty());
    assert_eq!(fields, Fields::new());
}

#[test]
fn lists_are_equal_field_by_field() {
    assert_ne!([("ab", "c")].into_iter().collect::<Fields>(), [("a", "bc")].into_iter().collect());
    let mut secret = Fields::new();
    secret.push_sensitive("a", "b");
    assert_ne!(secret, [("a", "b")].into_iter().collect());
}

#[test]
fn debug_shows_no_secrets() {
    let mut fields: Fields =
        [("te", "trailers"), ("Authorization", "hidden1"), ("cookie", "hidden2")]
            .into_iter()
            .collect();
    fields.push("set-cookie", "hidden3");
    fields.push("proxy-authorization", "hidden4");
    fields.push_sensitive("x-token", "hidden5");
    let shown = format!("{fields:?}");
    assert!(shown.contains("te: trailers"), "{shown}");
    assert!(shown.contains("x-token: (7 octets)"), "{shown}");
    assert!(!shown.contains("hidden"), "{shown}");
}

#[test]
fn debug_escapes_control_octets() {
    let mut fields = Fields::new();
    fields.push([b'a', 0], b"\r\n");
    assert_eq!(format!("{fields:?}"), r"[a\x00: \r\n]");
}
