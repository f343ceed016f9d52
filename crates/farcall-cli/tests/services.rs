//! The demonstration services do what their .proto files say.

use std::time::Duration;

use farcall::{Channel, Code, Result, Status};
use farcall_cli::proto::echo::v1::{EchoClient, EchoMessage, FailRequest, SleepRequest};
use farcall_cli::proto::greet::v1::{GreeterClient, HelloRequest};
use farcall_cli::proto::numbers::v1::{Number, NumbersClient};
use farcall_cli::services;

fn channel() -> Channel {
    services::server().in_process()
}

fn numbers() -> NumbersClient {
    NumbersClient::new(channel())
}

fn echo() -> EchoClient {
    EchoClient::new(channel())
}

fn assert_invalid(status: &Status, message: &str) {
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, message));
}

#[tokio::test]
async fn the_greeter_greets_by_name_and_the_world_without() -> Result<()> {
    let greeter = GreeterClient::new(channel());
    for (name, greeting) in
        [("Ada", "Hello, Ada!"), ("", "Hello, world!"), ("Zoë 🦀", "Hello, Zoë 🦀!")]
    {
        let reply = greeter.say_hello(HelloRequest { name: name.into() }).await?;
        assert_eq!(reply.message, greeting);
    }
    Ok(())
}

#[tokio::test]
async fn a_square_fits_or_is_refused() -> Result<()> {
    let numbers = numbers();
    assert_eq!(numbers.square(Number { value: -12 }).await?.value, 144);
    let status = numbers.square(Number { value: i64::MIN }).await.unwrap_err();
    assert_invalid(&status, "value: the square of -9223372036854775808 does not fit into 64 bits");
    Ok(())
}

async fn count(to: i64) -> Result<Vec<i64>> {
    let mut replies = numbers().count_to(Number { value: to }).await?;
    let mut counted = Vec::new();
    while let Some(number) = replies.receive().await? {
        counted.push(number.value);
    }
    Ok(counted)
}

#[tokio::test]
async fn counting_begins_at_one_and_ends_at_the_number() -> Result<()> {
    assert_eq!(count(5).await?, [1, 2, 3, 4, 5]);
    assert_eq!(count(0).await?, [0_i64; 0]);
    assert_eq!(count(20_000).await?, (1..=20_000).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn counting_is_refused_outside_of_its_limits() {
    for value in [-1, 1_000_001, i64::MAX] {
        let status = count(value).await.unwrap_err();
        assert_invalid(&status, &format!("value: expected 0 to 1000000, got {value}"));
    }
}

async fn sum(values: &[i64]) -> Result<i64> {
    let (mut numbers, sum) = numbers().sum().await?;
    for &value in values {
        numbers.send(Number { value }).await?;
    }
    numbers.finish().await?;
    Ok(sum.await?.value)
}

#[tokio::test]
async fn a_sum_is_of_all_numbers_sent() -> Result<()> {
    assert_eq!(sum(&[]).await?, 0);
    assert_eq!(sum(&[2, -5, 40]).await?, 37);
    assert_eq!(sum(&(1..=10_000).collect::<Vec<_>>()).await?, 50_005_000);
    Ok(())
}

#[tokio::test]
async fn a_sum_that_does_not_fit_is_refused() {
    let status = sum(&[i64::MAX, 1]).await.unwrap_err();
    assert_invalid(&status, "value: 9223372036854775807 plus 1 does not fit into 64 bits");
}

#[tokio::test]
async fn a_running_sum_answers_each_number_before_the_next() -> Result<()> {
    let (mut numbers, mut sums) = numbers().running_sum().await?;
    for (value, so_far) in [(1, 1), (2, 3), (-10, -7)] {
        numbers.send(Number { value }).await?;
        assert_eq!(sums.receive().await?.map(|number| number.value), Some(so_far));
    }
    numbers.finish().await?;
    assert_eq!(sums.receive().await?, None);
    Ok(())
}

#[tokio::test]
async fn a_running_sum_ends_where_it_does_not_fit() -> Result<()> {
    let (mut numbers, mut sums) = numbers().running_sum().await?;
    for value in [i64::MIN, -1] {
        numbers.send(Number { value }).await?;
    }
    assert_eq!(sums.receive().await?, Some(Number { value: i64::MIN }));
    let status = sums.receive().await.unwrap_err();
    assert_invalid(&status, "value: -9223372036854775808 plus -1 does not fit into 64 bits");
    Ok(())
}

#[tokio::test]
async fn a_payload_comes_back_as_it_was() -> Result<()> {
    let echo = echo();
    for size in [0, 1, 100_000] {
        let payload: Vec<u8> = (0..=250).cycle().take(size).collect();
        let reply = echo.echo(EchoMessage { payload: payload.clone() }).await?;
        assert_eq!(reply.payload, payload);
    }
    Ok(())
}

#[tokio::test]
async fn metadata_for_the_echo_comes_back_and_no_other() -> Result<()> {
    let call = echo().echo(EchoMessage::default());
    let call = call.metadata("echo-a", "1").metadata("other", "2").metadata("echo-a", "3");
    let call = call.metadata_bin("echo-b-bin", [0, 255]).metadata_bin("echo-b-bin", []);
    let (_, reply) = call.with_metadata().await?;
    assert_eq!(reply.metadata().get_all("echo-a").collect::<Vec<_>>(), ["1", "3"]);
    assert!(!reply.metadata().contains("other"));
    let bytes: Vec<_> = reply.trailers().get_all_bin("echo-b-bin").collect();
    assert_eq!(bytes, [vec![0, 255], vec![]]);
    Ok(())
}

#[tokio::test]
async fn a_failure_has_the_code_and_message_asked_for() {
    let echo = echo();
    for code in Code::ALL {
        let message = format!("asked for: {code} äöü");
        let request = FailRequest { code: code.as_u32(), message: message.clone() };
        let status = echo.fail(request).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, message.as_str()));
    }
}

#[tokio::test]
async fn a_code_that_does_not_exist_is_refused() {
    for code in [0, 17, u32::MAX] {
        let status = echo().fail(FailRequest { code, message: String::new() }).await.unwrap_err();
        assert_invalid(&status, &format!("code: expected 1 to 16, got {code}"));
    }
}

#[tokio::test]
async fn sleep_takes_its_time_and_has_a_limit() -> Result<()> {
    let echo = echo();
    let began = std::time::Instant::now();
    echo.sleep(SleepRequest { milliseconds: 20 }).await?;
    assert!(began.elapsed() >= Duration::from_millis(20));
    let status = echo.sleep(SleepRequest { milliseconds: 60_001 }).await.unwrap_err();
    assert_invalid(&status, "milliseconds: expected at most 60000, got 60001");
    Ok(())
}

#[tokio::test]
async fn sleep_ends_at_the_deadline() {
    let call = echo().sleep(SleepRequest { milliseconds: 60_000 });
    let status = call.timeout(Duration::from_millis(10)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}
