//! Requests and limits.

use k8s_openapi::{
    api::core::v1::ResourceRequirements, apimachinery::pkg::api::resource::Quantity,
};

use super::Check;
use crate::yaml::At;

/// Limits below requests, and memory in thousandths of a byte.
pub(super) fn resources(
    check: &mut Check<'_, '_>,
    resources: Option<&ResourceRequirements>,
    at: &At<'_>,
) {
    let Some(resources) = resources else { return };
    let (limits, requests) = (at.key("limits"), at.key("requests"));
    let given = [
        (&limits, &resources.limits),
        (&requests, &resources.requests),
    ];
    for (at, quantities) in given {
        for (name, quantity) in quantities.iter().flatten() {
            let Some(amount) = amount(quantity) else {
                continue;
            };
            if amount < 0.0 {
                check.error(&at.key(name), "a quantity below zero", "");
            } else if name != "cpu" && quantity.0.ends_with('m') {
                let meant = quantity.0.trim_end_matches('m');
                let message = format!("`m` means thousandths: this is {amount} bytes");
                check.warn(
                    &at.key(name),
                    message,
                    format!("for mebibytes, write {meant}Mi"),
                );
            }
        }
    }
    for (name, request) in resources.requests.iter().flatten() {
        let limit = resources
            .limits
            .as_ref()
            .and_then(|limits| limits.get(name));
        let Some((limit, request)) =
            limit.and_then(|limit| Some((amount(limit)?, amount(request)?)))
        else {
            continue;
        };
        if limit < request {
            let message = format!("the request of {name} is above its limit");
            check.error(
                &requests.key(name),
                message,
                "requests are at most as large as limits",
            );
        }
    }
}

/// A quantity as a number; `None` for text that is none, which the schema has refused.
pub(super) fn amount(quantity: &Quantity) -> Option<f64> {
    let text = quantity.0.as_str();
    let exact = |text: &str| text.parse::<f64>().ok();
    if let Some(number) = exact(text) {
        return Some(number);
    }
    let units = [
        ("Ki", 1024_f64),
        ("Mi", 1024_f64.powi(2)),
        ("Gi", 1024_f64.powi(3)),
        ("Ti", 1024_f64.powi(4)),
        ("Pi", 1024_f64.powi(5)),
        ("Ei", 1024_f64.powi(6)),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    units
        .iter()
        .find_map(|(unit, factor)| Some(exact(text.strip_suffix(unit)?)? * factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_as_numbers() {
        let amount = |text: &str| amount(&Quantity(text.to_owned())).unwrap();
        assert_eq!(amount("1Gi"), amount("1024Mi"));
        assert_eq!(amount("500m"), 0.5);
        assert_eq!(amount("1e3"), amount("1k"));
        assert!(amount("1G") < amount("1Gi"));
    }
}
