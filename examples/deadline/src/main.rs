//! What becomes of a call, and of the calls made for it, when its time is up or nobody waits for it any more.

use std::time::Duration;

use farcall::Result;
use tokio::sync::mpsc::unbounded_channel;

mod services;
use services::proto::shop::v1::{Item, Shop, ShopClient, Stock, StockClient};
use services::{Counter, Warehouse};

#[tokio::main]
async fn main() -> Result<()> {
    let (sender, mut news) = unbounded_channel();
    let mut print_news = async || println!("stock: {}", news.recv().await.unwrap_or("closed"));
    let stock = StockClient::new(Warehouse { news: sender }.into_service());
    let shop = ShopClient::new(Counter { stock }.into_service());

    let receipt = shop.order(item("pencil")).timeout(Duration::from_secs(10)).await?;
    println!("caller: {}", receipt.text);

    // Nobody finds a piano, and the caller will not wait for ever.
    let piano = shop.order(item("piano")).timeout(Duration::from_millis(500)).await;
    println!("caller: {}", piano.map_or_else(|status| status.code().name(), |_| "a piano!"));
    print_news().await;
    print_news().await;

    // Dropping a call cancels it: here because something else was ready first.
    tokio::select! {
        piano = shop.order(item("piano")) => println!("caller: {piano:?}"),
        () = print_news() => println!("caller: changed my mind"),
    }
    print_news().await;
    Ok(())
}

fn item(name: &str) -> Item {
    Item { name: name.into() }
}
