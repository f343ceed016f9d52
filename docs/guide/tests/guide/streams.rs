//! What the page on streaming says beyond the example.

use farcall::{Call, Code, Inbound, Outbound, Result, Status};
use guide::proto::numbers::v1::{Number, Numbers, NumbersClient};
use tokio::sync::Notify;

struct Arithmetic;

impl Numbers for Arithmetic {
    async fn count_to(
        &self,
        last: Number,
        replies: &mut Outbound<Number>,
        call: &mut Call,
    ) -> Result<()> {
        call.add_reply_trailer("counted", &last.value.to_string())?;
        for value in 1..=last.value {
            replies.send(Number { value }).await?;
        }
        Ok(())
    }

    async fn sum(&self, requests: &mut Inbound<Number>, _: &mut Call) -> Result<Number> {
        let mut value: i64 = 0;
        while let Some(number) = requests.receive().await? {
            value = value
                .checked_add(number.value)
                .ok_or_else(|| Status::out_of_range("the sum is too large"))?;
        }
        Ok(Number { value })
    }

    async fn running_sum(
        &self,
        requests: &mut Inbound<Number>,
        replies: &mut Outbound<Number>,
        _: &mut Call,
    ) -> Result<()> {
        let mut value = 0;
        while let Some(number) = requests.receive().await? {
            value += number.value;
            replies.send(Number { value }).await?;
        }
        Ok(())
    }
}

fn numbers() -> NumbersClient {
    NumbersClient::new(Arithmetic.into_service())
}

#[tokio::test]
async fn sending_and_receiving_may_go_on_at_once() -> Result<()> {
    let numbers = numbers();
    let (mut requests, mut totals) = numbers.running_sum().await?;
    let send = async {
        for value in 1..=10_000 {
            requests.send(Number { value }).await?;
        }
        requests.finish().await
    };
    let receive = async {
        let mut last = 0;
        while let Some(total) = totals.receive().await? {
            last = total.value;
        }
        Ok(last)
    };
    let ((), last) = tokio::try_join!(send, receive)?;
    assert_eq!(last, 50_005_000);
    Ok(())
}

#[tokio::test]
async fn what_comes_beside_the_messages() -> Result<()> {
    let numbers = numbers();
    let mut counted = numbers.count_to(Number { value: 3 }).await?;
    while counted.receive().await?.is_some() {}
    let trailers = counted.trailers().unwrap_or_default();
    assert_eq!(trailers.get("counted"), Some("3"));
    Ok(())
}

#[tokio::test]
async fn the_failure_of_a_call_is_told_where_its_reply_is_received() -> Result<()> {
    let numbers = numbers();
    let (mut requests, sum) = numbers.sum().await?;
    for _ in 0..2 {
        requests.send(Number { value: i64::MAX }).await?;
    }
    requests.finish().await?;
    let status = sum.await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(status.message(), "the sum is too large");
    Ok(())
}

/// Never stops counting; tells when it was stopped.
struct Endless(&'static Notify);

struct Stopped(&'static Notify);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Numbers for Endless {
    async fn count_to(
        &self,
        _: Number,
        replies: &mut Outbound<Number>,
        _: &mut Call,
    ) -> Result<()> {
        let _stopped = Stopped(self.0);
        for value in 1.. {
            replies.send(Number { value }).await?;
        }
        Ok(())
    }

    async fn sum(&self, _: &mut Inbound<Number>, _: &mut Call) -> Result<Number> {
        Err(Status::unimplemented("this one only counts"))
    }

    async fn running_sum(
        &self,
        _: &mut Inbound<Number>,
        _: &mut Outbound<Number>,
        _: &mut Call,
    ) -> Result<()> {
        Err(Status::unimplemented("this one only counts"))
    }
}

#[tokio::test]
async fn dropping_an_inbound_stops_the_handler() -> Result<()> {
    static STOPPED: Notify = Notify::const_new();
    let numbers = NumbersClient::new(Endless(&STOPPED).into_service());
    let mut counted = numbers.count_to(Number { value: 0 }).await?;
    let first = counted.receive().await?;
    drop(counted);
    assert_eq!(first, Some(Number { value: 1 }));
    STOPPED.notified().await;
    Ok(())
}
