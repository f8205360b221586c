//! The built-in networks, value for value.

mod core_values;
mod own_networks;
mod sanity;
mod spec_hash;
