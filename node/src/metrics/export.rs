//! What Prometheus and Grafana need to know: where to look, when to call somebody, what to draw.

mod alerts;
mod dashboard;

use super::families;

/// Name of the job, by which expressions find our processes among others'.
const JOB: &str = "cairn";

/// A file to be written.
#[derive(Debug)]
pub(crate) struct ExportedFile {
    /// Its name.
    pub(crate) name: &'static str,
    /// What is in it.
    pub(crate) content: String,
}

/// All files, for nodes whose metrics are at these targets, such as 127.0.0.1:9332.
pub(crate) fn files(targets: &[String]) -> Vec<ExportedFile> {
    vec![
        ExportedFile { name: "prometheus.yml", content: scrape(targets) },
        ExportedFile { name: "cairn-alerts.yml", content: alerts::rules() },
        ExportedFile { name: "cairn-dashboard.json", content: dashboard::dashboard() },
    ]
}

fn scrape(targets: &[String]) -> String {
    // JSON's strings are YAML's too.
    let targets: Vec<String> =
        targets.iter().map(|target| serde_json::Value::from(target.as_str()).to_string()).collect();
    format!(
        "# Prometheus, watching Cairn: prometheus --config.file=prometheus.yml\n\
         global:\n  scrape_interval: 15s\n  evaluation_interval: 15s\n\n\
         rule_files:\n  - cairn-alerts.yml\n\n\
         scrape_configs:\n  - job_name: {JOB}\n    static_configs:\n      - targets: [{}]\n",
        targets.join(", ")
    )
}
