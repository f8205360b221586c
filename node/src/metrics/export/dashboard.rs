//! What to draw, for Grafana.

mod panels;

use serde_json::{Value, json};

use super::JOB;
use super::families;
use families::process;
use panels::{Panel, rows};

/// Columns of a dashboard.
const COLUMNS: u64 = 24;

/// The dashboard, in Grafana's JSON.
pub(super) fn dashboard() -> String {
    let mut drawn = Vec::new();
    let mut y = 0;
    for (title, row) in rows() {
        drawn.push(json!({
            "id": drawn.len() + 1, "type": "row", "title": title, "collapsed": false, "panels": [],
            "gridPos": { "x": 0, "y": y, "w": COLUMNS, "h": 1 },
        }));
        y += 1;
        let (mut x, mut height) = (0, 0);
        for panel in row {
            if x + panel.width > COLUMNS {
                (x, y, height) = (0, y + height, 0);
            }
            drawn.push(draw(&panel, drawn.len() + 1, x, y));
            x += panel.width;
            height = height.max(panel.height);
        }
        y += height;
    }
    let dashboard = json!({
        "title": "Cairn", "uid": "cairn", "tags": [JOB], "schemaVersion": 39, "version": 1, "editable": true,
        "time": { "from": "now-6h", "to": "now" }, "refresh": "15s", "timezone": "",
        "templating": { "list": variables() },
        "panels": drawn,
    });
    let mut text = serde_json::to_string_pretty(&dashboard).expect("texts and numbers can be written");
    text.push('\n');
    text
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// What the reader chooses: where the data are, and which nodes are shown.
fn variables() -> Value {
    json!([
        { "name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source" },
        {
            "name": "instance", "type": "query", "label": "Instance", "includeAll": true, "multi": true, "refresh": 2,
            "datasource": source(),
            "query": { "query": format!("label_values({}, instance)", process::BUILD_INFO.name), "refId": "instance" },
            "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
        },
    ])
}

fn draw(panel: &Panel, id: usize, x: u64, y: u64) -> Value {
    let targets: Vec<Value> = (b'A'..)
        .zip(&panel.queries)
        .map(|(letter, (expression, legend))| {
            json!({ "refId": char::from(letter).to_string(), "expr": expression, "legendFormat": legend })
        })
        .collect();
    json!({
        "id": id, "type": panel.kind, "title": panel.title, "datasource": source(),
        "gridPos": { "x": x, "y": y, "w": panel.width, "h": panel.height },
        "fieldConfig": { "defaults": { "unit": panel.unit }, "overrides": [] },
        "targets": targets,
    })
}
