//! The shop, and the stock that it asks.

use farcall::{Call, Result};
use tokio::sync::mpsc::UnboundedSender;

pub(crate) mod proto {
    farcall::include_protos!();
}
use proto::shop::v1::{Item, Receipt, Shop, Stock, StockClient};

/// Takes orders.
pub(crate) struct Counter {
    pub(crate) stock: StockClient,
}

impl Shop for Counter {
    async fn order(&self, item: Item, call: &mut Call) -> Result<Receipt> {
        // What is left of the order's time is all the time that the stock has.
        self.stock.reserve(item).within(call).await
    }
}

/// Has everything but pianos.
pub(crate) struct Warehouse {
    pub(crate) news: UnboundedSender<&'static str>,
}

impl Stock for Warehouse {
    async fn reserve(&self, item: Item, call: &mut Call) -> Result<Receipt> {
        if item.name == "piano" {
            let _ = self.news.send(match call.deadline() {
                Some(_) => "looking for a piano while there is time",
                None => "looking for a piano",
            });
            let _search = Search(&self.news);
            std::future::pending::<()>().await;
        }
        Ok(Receipt { text: format!("one {}", item.name) })
    }
}

/// A search under way. When nobody waits for the call any more, its handler's future is dropped, and all it holds.
struct Search<'a>(&'a UnboundedSender<&'static str>);

impl Drop for Search<'_> {
    fn drop(&mut self) {
        let _ = self.0.send("nobody waits for the piano any more");
    }
}
