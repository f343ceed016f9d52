//! Numbers: one method of each of the four kinds.

use farcall::{Call, Inbound, Outbound, Result, Status};

use crate::proto::numbers::v1::{Number, Numbers};

/// Replies of one `CountTo`: some seconds of work at most, whoever asks.
const COUNT_MAX: i64 = 1_000_000;

/// Squares, counts and adds. Nothing overflows unseen: a result that does not fit is an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calculator;

impl Numbers for Calculator {
    async fn square(&self, request: Number, _: &mut Call) -> Result<Number> {
        let square = request.value.checked_mul(request.value);
        let value = square.ok_or_else(|| {
            Status::invalid_argument(format!(
                "value: the square of {} does not fit into 64 bits",
                request.value
            ))
        })?;
        Ok(Number { value })
    }

    async fn count_to(
        &self,
        request: Number,
        replies: &mut Outbound<Number>,
        _: &mut Call,
    ) -> Result<()> {
        if !(0..=COUNT_MAX).contains(&request.value) {
            return Err(Status::invalid_argument(format!(
                "value: expected 0 to {COUNT_MAX}, got {}",
                request.value
            )));
        }
        for value in 1..=request.value {
            replies.send(Number { value }).await?;
        }
        Ok(())
    }

    async fn sum(&self, requests: &mut Inbound<Number>, _: &mut Call) -> Result<Number> {
        let mut value = 0;
        while let Some(number) = requests.receive().await? {
            value = add(value, number.value)?;
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
            value = add(value, number.value)?;
            replies.send(Number { value }).await?;
        }
        Ok(())
    }
}

fn add(sum: i64, value: i64) -> Result<i64> {
    sum.checked_add(value).ok_or_else(|| {
        Status::invalid_argument(format!("value: {sum} plus {value} does not fit into 64 bits"))
    })
}
