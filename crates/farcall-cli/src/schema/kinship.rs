//! Names that are nearly the one that was typed.

/// Names that are suggested at most.
const SUGGESTED: usize = 3;
/// How alike names must be, from 0 (not at all) to 1: one or two typing errors in a name of usual length.
const ALIKE: f64 = 0.7;

/// The names most like `typed`, the nearest first. Each is compared as a whole and by its last parts, as many as `typed`
/// has, so that packages need not be typed.
pub(super) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = flat(typed);
    let parts = typed.split('.').count();
    let mut alike: Vec<(f64, &str)> = names
        .map(|name| {
            let flat = flat(name);
            let score = strsim::normalized_damerau_levenshtein(&typed, last_parts(&flat, parts));
            (score.max(strsim::normalized_damerau_levenshtein(&typed, &flat)), name)
        })
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    alike.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    alike.into_iter().take(SUGGESTED).map(|(_, name)| name).collect()
}

/// `did you mean a, b or c?`; none when there is nothing to suggest.
pub(super) fn question(names: &[impl AsRef<str>]) -> Option<String> {
    (!names.is_empty()).then(|| format!("did you mean {}?", either(names)))
}

/// `a, b or c`.
pub(super) fn either(names: &[impl AsRef<str>]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            text.push_str(if index + 1 == names.len() { " or " } else { ", " });
        }
        text.push_str(name.as_ref());
    }
    text
}

/// Case is the most frequent difference, and slash or point is none.
fn flat(name: &str) -> String {
    name.to_lowercase().replace('/', ".")
}

fn last_parts(name: &str, count: usize) -> &str {
    let points = name.rmatch_indices('.').nth(count.saturating_sub(1));
    points.map_or(name, |(point, _)| &name[point + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_typing_find_their_names() {
        let names = ["greet.v1.Greeter/SayHello", "echo.v1.Echo/Sleep", "numbers.v1.Numbers/Sum"];
        for typed in ["SayHelo", "sayhello", "Greter/SayHello", "greet.v1.Greeter.SayHallo"] {
            assert_eq!(nearest(typed, names.into_iter()), ["greet.v1.Greeter/SayHello"], "{typed}");
        }
        assert!(nearest("Unrelated", names.into_iter()).is_empty());
    }

    #[test]
    fn choices_are_joined_as_people_do() {
        assert_eq!(either(&["a"]), "a");
        assert_eq!(either(&["a", "b", "c"]), "a, b or c");
        assert_eq!(question(&["a", "b"]).unwrap(), "did you mean a or b?");
        assert_eq!(question(&[""; 0]), None);
    }
}
