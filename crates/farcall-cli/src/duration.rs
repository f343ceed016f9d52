//! Durations as people type them.

use std::time::Duration;

/// `2s`, `300ms`, `1.5s`, `2m`; a bare number is seconds.
///
/// # Errors
/// What was expected, for people.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds_per_unit = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        _ => return Err("the unit is ms, s or m".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "expected a number, as in 300ms or 2s")?;
    Duration::try_from_secs_f64(number * seconds_per_unit)
        .map_err(|_| "expected a time that is not negative and not endless".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_optional_and_nonsense_is_refused() {
        for (text, milliseconds) in [("2", 2000), ("300ms", 300), ("1.5s", 1500), ("2m", 120_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "-1s", "1h", "1 s", "inf", "nan", "1e300"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
