//! What the page on errors, deadlines and cancellation says.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use farcall::{Call, Channel, Code, Result, Status};
use guide::proto::shop::v1::{Item, Receipt, Shop, ShopClient};

/// Prices by the name of the thing, as somebody has typed them.
struct Shelf {
    prices: HashMap<&'static str, &'static str>,
}

impl Shop for Shelf {
    async fn order(&self, item: Item, _: &mut Call) -> Result<Receipt> {
        if item.name == "nothing" {
            return Err(Status::invalid_argument("that is no order").with_detail(&item));
        }
        let price = self.prices.get(&*item.name);
        let price = price.ok_or_else(|| Status::not_found("no such item"))?;
        let price: u32 = price.parse().map_err(Status::data_loss)?;
        Ok(Receipt { text: format!("{price} cents, please") })
    }
}

fn shop() -> ShopClient {
    let prices = HashMap::from([("pencil", "20"), ("ruler", "a lot")]);
    ShopClient::new(Shelf { prices }.into_service())
}

fn item(name: &str) -> Item {
    Item { name: name.into() }
}

async fn price_of(shop: &ShopClient, name: &str) -> Result<Option<String>> {
    match shop.order(item(name)).await {
        Ok(receipt) => Ok(Some(receipt.text)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}

#[tokio::test]
async fn a_code_is_for_programs() -> Result<()> {
    let shop = shop();
    assert_eq!(price_of(&shop, "pencil").await?.as_deref(), Some("20 cents, please"));
    assert_eq!(price_of(&shop, "piano").await?, None);
    Ok(())
}

#[tokio::test]
async fn an_error_that_becomes_a_status_is_its_message_on_the_other_side() {
    let status = shop().order(item("ruler")).await.unwrap_err();
    assert_eq!(status.to_string(), "DATA_LOSS: invalid digit found in string");
    assert!(status.source().is_none(), "the cause itself stays where it happened");
}

#[tokio::test]
async fn details_are_messages() {
    let status = shop().order(item("nothing")).await.unwrap_err();
    let wrong: Option<Item> = status.detail();
    assert_eq!(wrong, Some(item("nothing")));
}

#[tokio::test]
async fn nobody_there() {
    let status = Channel::connect("unix:///nowhere/shop.sock").await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("/nowhere/shop.sock"), "{status}");
}

#[tokio::test]
async fn waiting_for_a_server_that_does_not_come() -> Result<()> {
    let shop = ShopClient::new(Channel::lazy("unix:///nowhere/shop.sock")?);
    let order = shop.order(item("pencil")).wait_for_ready().timeout(Duration::from_millis(50));
    assert_eq!(order.await.unwrap_err().code(), Code::DeadlineExceeded);
    Ok(())
}

/// Takes an order and never delivers.
struct Slow;

impl Shop for Slow {
    async fn order(&self, _: Item, call: &mut Call) -> Result<Receipt> {
        let left = call.remaining().unwrap_or(Duration::MAX);
        assert!(left <= Duration::from_millis(200), "the caller's time limit has come along");
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_time_limit() {
    let shop = ShopClient::new(Slow.into_service());
    let order = shop.order(item("piano")).timeout(Duration::from_millis(200));
    let status = order.await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}
