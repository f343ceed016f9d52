//! A point in time as people read it, in messages about certificates.

use std::fmt;

/// Seconds since 1970; prints as `2026-01-31 08:30:00 UTC`.
pub(super) struct Moment(pub(super) i64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        let (year, month, day) = date(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

/// The Gregorian date, counted in years that begin in March and eras of 400 years.
fn date(days_since_1970: i64) -> (i64, i64, i64) {
    let days = days_since_1970 + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let first_day = 365 * year_of_era + year_of_era / 4 - year_of_era / 100;
    let day_of_year = day_of_era - first_day;
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A length of time in seconds; prints its largest unit, as in `3 days`.
pub(super) struct Span(pub(super) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400, "day"), (3600, "hour"), (60, "minute")];
        let unit = units.into_iter().find(|(seconds, _)| self.0 >= *seconds);
        let (seconds, name) = unit.unwrap_or((1, "second"));
        let count = self.0 / seconds;
        write!(f, "{count} {name}{}", if count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_spans_are_written_for_people() {
        assert_eq!(Moment(0).to_string(), "1970-01-01 00:00:00 UTC");
        assert_eq!(Moment(951_825_599).to_string(), "2000-02-29 11:59:59 UTC");
        assert_eq!(Moment(253_402_300_799).to_string(), "9999-12-31 23:59:59 UTC");
        assert_eq!(Moment(-1).to_string(), "1969-12-31 23:59:59 UTC");
        let spans = [(0, "0 seconds"), (1, "1 second"), (7199, "1 hour"), (3 * 86_400, "3 days")];
        for (seconds, text) in spans {
            assert_eq!(Span(seconds).to_string(), text);
        }
    }
}
