//! Calls a method of each kind that streams.

use farcall::{Channel, Result};

mod proto {
    farcall::include_protos!();
}
use proto::numbers::v1::{Number, NumbersClient};

#[tokio::main]
async fn main() -> Result<()> {
    let endpoint = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:8080".into());
    let numbers = NumbersClient::new(Channel::connect(endpoint).await?);
    count(&numbers).await?;
    sum(&numbers).await?;
    running_sum(&numbers).await
}

/// One request, many replies.
async fn count(numbers: &NumbersClient) -> Result<()> {
    let mut counted = numbers.count_to(Number { value: 3 }).await?;
    while let Some(number) = counted.receive().await? {
        println!("counted {}", number.value);
    }
    Ok(())
}

/// Many requests, one reply.
async fn sum(numbers: &NumbersClient) -> Result<()> {
    let (mut requests, sum) = numbers.sum().await?;
    for value in [2, 3, 5] {
        requests.send(Number { value }).await?;
    }
    requests.finish().await?;
    println!("2 + 3 + 5 = {}", sum.await?.value);
    Ok(())
}

/// Many requests, many replies.
async fn running_sum(numbers: &NumbersClient) -> Result<()> {
    let (mut requests, mut totals) = numbers.running_sum().await?;
    for value in [2, 3, 5] {
        requests.send(Number { value }).await?;
        let Some(total) = totals.receive().await? else { break };
        println!("and {value} makes {}", total.value);
    }
    requests.finish().await?;
    // The end of the replies says whether the call went well.
    while totals.receive().await?.is_some() {}
    Ok(())
}
