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
    // JSON's strings are YAML's too.
    let targets: Vec<String> = targets.iter().map(|target| quoted(target)).collect();
    all(&format!("static_configs:\n      - targets: [{}]", targets.join(", ")))
}

/// All files, for nodes whose targets stand in a JSON file beside them. Prometheus reads that again when it changes.
pub(crate) fn files_for_targets_in(file: &str) -> Vec<ExportedFile> {
    all(&format!("file_sd_configs:\n      - files: [{}]\n        refresh_interval: 5s", quoted(file)))
}

fn all(targets: &str) -> Vec<ExportedFile> {
    vec![
        ExportedFile { name: "prometheus.yml", content: scrape(targets) },
        ExportedFile { name: "cairn-alerts.yml", content: alerts::rules() },
        ExportedFile { name: "cairn-dashboard.json", content: dashboard::dashboard() },
    ]
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn scrape(targets: &str) -> String {
    format!(
        "# Prometheus, watching Cairn: prometheus --config.file=prometheus.yml\n\
         global:\n  scrape_interval: 15s\n  evaluation_interval: 15s\n\n\
         rule_files:\n  - cairn-alerts.yml\n\n\
         scrape_configs:\n  - job_name: {JOB}\n    {targets}\n"
    )
}
