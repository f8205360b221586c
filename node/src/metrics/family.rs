//! What a metric is.

use prometheus::core::Collector;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// A metric: what it is called, what it means, and by what it is told apart.
#[derive(Debug)]
pub(crate) struct Family {
    /// Its name, with its unit.
    pub(crate) name: &'static str,
    /// What it means.
    pub(crate) help: &'static str,
    /// How it behaves.
    pub(crate) kind: Kind,
    /// What its values are told apart by.
    pub(crate) labels: &'static [&'static str],
}

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// It grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often values lay within these bounds.
    Histogram(&'static [f64]),
}

impl Family {
    /// A metric that grows.
    pub(crate) const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Kind::Counter, labels: &[] }
    }

    /// A metric that goes up and down.
    pub(crate) const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Kind::Gauge, labels: &[] }
    }

    /// A distribution, with the upper bounds of its buckets.
    pub(crate) const fn histogram(name: &'static str, help: &'static str, bounds: &'static [f64]) -> Self {
        Self { name, help, kind: Kind::Histogram(bounds), labels: &[] }
    }

    /// The same with labels.
    pub(crate) const fn with_labels(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }

    fn opts(&self) -> Opts {
        Opts::new(self.name, self.help)
    }

    fn histogram_opts(&self) -> HistogramOpts {
        let opts = HistogramOpts::new(self.name, self.help);
        match self.kind {
            Kind::Histogram(bounds) => opts.buckets(bounds.to_vec()),
            Kind::Counter | Kind::Gauge => opts,
        }
    }

    /// Registers a counter.
    pub(crate) fn int_counter(&self, registry: &Registry) -> Result<IntCounter, prometheus::Error> {
        register(registry, IntCounter::with_opts(self.opts()))
    }

    /// Registers a counter with labels.
    pub(crate) fn int_counter_vec(&self, registry: &Registry) -> Result<IntCounterVec, prometheus::Error> {
        register(registry, IntCounterVec::new(self.opts(), self.labels))
    }

    /// Registers a gauge of whole numbers.
    pub(crate) fn int_gauge(&self, registry: &Registry) -> Result<IntGauge, prometheus::Error> {
        register(registry, IntGauge::with_opts(self.opts()))
    }

    /// Registers a gauge of whole numbers with labels.
    pub(crate) fn int_gauge_vec(&self, registry: &Registry) -> Result<IntGaugeVec, prometheus::Error> {
        register(registry, IntGaugeVec::new(self.opts(), self.labels))
    }

    /// Registers a gauge.
    pub(crate) fn gauge_of(&self, registry: &Registry) -> Result<Gauge, prometheus::Error> {
        register(registry, Gauge::with_opts(self.opts()))
    }

    /// Registers a distribution.
    pub(crate) fn histogram_of(&self, registry: &Registry) -> Result<Histogram, prometheus::Error> {
        register(registry, Histogram::with_opts(self.histogram_opts()))
    }

    /// Registers a distribution with labels.
    pub(crate) fn histogram_vec(&self, registry: &Registry) -> Result<HistogramVec, prometheus::Error> {
        register(registry, HistogramVec::new(self.histogram_opts(), self.labels))
    }
}

fn register<M: Collector + Clone + 'static>(
    registry: &Registry,
    metric: Result<M, prometheus::Error>,
) -> Result<M, prometheus::Error> {
    let metric = metric?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}
