mod block_index;
mod candidates;
mod check_queue;
mod error;
mod events;
