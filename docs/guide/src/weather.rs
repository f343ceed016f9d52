//! The weather service of the page on one port.

use farcall::{Call, Inbound, Outbound, Result, Status};

use crate::proto::weather::v1::{ForecastRequest, Place, Report, Weather};

/// The stations, and what their thermometers show.
const STATIONS: [(&str, f64); 2] = [("Paris", 21.5), ("Oslo", 13.5)];
/// The days that anybody can know something about.
const DAYS_MAX: u32 = 14;

/// Knows the weather where there is a station.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stations;

impl Weather for Stations {
    async fn now(&self, place: Place, _: &mut Call) -> Result<Report> {
        report(place)
    }

    async fn forecast(
        &self,
        request: ForecastRequest,
        reports: &mut Outbound<Report>,
        _: &mut Call,
    ) -> Result<()> {
        let mut next = report(request.place.into_option().unwrap_or_default())?;
        for _ in 0..request.days.min(DAYS_MAX) {
            next.celsius += 1.0;
            reports.send(next.clone()).await?;
        }
        Ok(())
    }

    async fn follow(
        &self,
        places: &mut Inbound<Place>,
        reports: &mut Outbound<Report>,
        _: &mut Call,
    ) -> Result<()> {
        while let Some(place) = places.receive().await? {
            reports.send(report(place)?).await?;
        }
        Ok(())
    }
}

fn report(place: Place) -> Result<Report> {
    let station = STATIONS.iter().find(|(name, _)| *name == place.name);
    let (_, celsius) = station.ok_or_else(|| {
        Status::not_found(format!("no station in {}", place.name)).with_detail(&place)
    })?;
    Ok(Report { place: place.name, celsius: *celsius })
}
