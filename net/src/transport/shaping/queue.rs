//! Bytes on their way over a link, and when they arrive.

use std::collections::VecDeque;
use std::time::Instant;

/// Bytes in their order, each with the time from which on it may be handed over.
#[derive(Debug, Default)]
pub(super) struct DelayQueue {
    bytes: VecDeque<u8>,
    /// How many of them arrive when, in order.
    arrivals: VecDeque<(Instant, usize)>,
    /// How many arrived.
    arrived: usize,
}

impl DelayQueue {
    /// Adds bytes that arrive at `arrival`, which is no earlier than that of the bytes before them.
    pub(super) fn push(&mut self, arrival: Instant, bytes: &[u8]) {
        self.bytes.extend(bytes);
        match self.arrivals.back_mut() {
            Some((last, count)) if *last == arrival => *count += bytes.len(),
            _ => self.arrivals.push_back((arrival, bytes.len())),
        }
    }

    /// Lets bytes arrive whose time has come.
    pub(super) fn advance(&mut self, now: Instant) {
        while let Some((_, count)) = self.arrivals.front().filter(|(arrival, _)| *arrival <= now) {
            self.arrived += count;
            self.arrivals.pop_front();
        }
    }

    /// The first bytes that arrived; none only if none did.
    pub(super) fn arrived(&self) -> &[u8] {
        let (front, _) = self.bytes.as_slices();
        &front[..front.len().min(self.arrived)]
    }

    /// Takes away bytes that were handed over: the first `count` of those that arrived.
    pub(super) fn consume(&mut self, count: usize) {
        self.bytes.drain(..count);
        self.arrived -= count;
    }

    /// When more bytes arrive.
    pub(super) fn next_arrival(&self) -> Option<Instant> {
        self.arrivals.front().map(|(arrival, _)| *arrival)
    }

    /// Bytes on their way, those that arrived among them.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn bytes_come_out_in_order_and_not_before_their_time() {
        let now = Instant::now();
        let [soon, late] = [1, 2].map(|seconds| now + Duration::from_secs(seconds));
        let mut queue = DelayQueue::default();
        queue.advance(late);
        assert!(queue.is_empty() && queue.arrived().is_empty() && queue.next_arrival().is_none());
        queue.push(soon, b"ab");
        queue.push(soon, b"c");
        queue.push(late, b"de");
        queue.advance(now);
        assert_eq!((queue.arrived(), queue.next_arrival(), queue.len()), (&b""[..], Some(soon), 5));
        queue.advance(soon);
        assert_eq!((queue.arrived(), queue.next_arrival()), (&b"abc"[..], Some(late)));
        queue.consume(2);
        assert_eq!(queue.arrived(), b"c");
        queue.advance(late);
        assert_eq!((queue.arrived(), queue.next_arrival()), (&b"cde"[..], None));
        queue.consume(3);
        assert!(queue.is_empty());
    }

    #[test]
    fn bytes_stay_in_order_wherever_they_lie() {
        let now = Instant::now();
        let mut queue = DelayQueue::default();
        let mut taken = Vec::new();
        let mut take = |queue: &mut DelayQueue, most: usize| {
            queue.advance(now);
            let arrived = queue.arrived();
            let count = arrived.len().min(most);
            taken.extend_from_slice(&arrived[..count]);
            queue.consume(count);
        };
        for round in 0..200u8 {
            queue.push(now, &[round; 7]);
            take(&mut queue, 5);
        }
        while !queue.is_empty() {
            take(&mut queue, usize::MAX);
        }
        let expected: Vec<u8> = (0..200u8).flat_map(|round| [round; 7]).collect();
        assert_eq!(taken, expected);
    }
}
