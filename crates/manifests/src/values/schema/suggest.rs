//! What was probably meant.

use std::collections::VecDeque;

use super::{
    pattern::{self, Pattern},
    shape::{Additional, Shape},
    validate::{Place, list},
};

/// Keys are listed when there are at most so many.
const LISTED: usize = 14;

/// For a key that a map does not have: the key that is spelled nearly so, or the place where it belongs.
pub(super) fn for_unknown_key(key: &str, here: &Place<'_>, root: &Shape) -> Option<String> {
    let known: Vec<&str> = here.shape.properties.keys().map(String::as_str).collect();
    if let Some(near) = nearest(key, &known, 1) {
        return Some(format!("did you mean `{near}`?"));
    }
    if let Some(told) = special(key, &known) {
        return Some(told.to_owned());
    }
    let places = below(key, here.shape, root).or_else(|| above(key, here, root));
    if let Some(places) = places {
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        return Some(match places.as_slice() {
            [""] => format!("`{key}` belongs at the top level, without indentation"),
            places => format!("`{key}` belongs under {}", list(places)),
        });
    }
    if let Some(near) = nearest(key, &known, 3) {
        return Some(format!("did you mean `{near}`?"));
    }
    match known.len() {
        0 => None,
        1..=LISTED => Some(format!(
            "the keys here are {}",
            list(&known).replace(" or ", " and ")
        )),
        _ => None,
    }
}

/// What other charts call it, and what is easily left out.
fn special(key: &str, known: &[&str]) -> Option<&'static str> {
    let has = |name: &str| known.contains(&name);
    match key.to_ascii_lowercase().as_str() {
        "secrets" | "secret" if has("configs") => {
            Some("Secrets stand in `configs`, with `type: secret`")
        }
        "configmaps" | "configmap" if has("configs") => Some("ConfigMaps stand in `configs`"),
        "serviceaccount" if has("serviceAccountName") => Some("did you mean `serviceAccountName`?"),
        _ if has("data") && has("binaryData") => {
            Some("the keys of a config stand under its `data`")
        }
        _ => None,
    }
}

/// For a text that is none of a few.
pub(super) fn for_choice(text: &str, choices: &[&str]) -> Option<String> {
    nearest(text, choices, 3).map(|near| format!("did you mean `{near}`?"))
}

/// For a text that does not match a pattern: the nearest one that does.
pub(super) fn for_pattern(pattern: &Pattern, text: &str) -> Option<String> {
    let meant = match pattern.expression {
        pattern::QUANTITY => return unit(text),
        pattern::LABEL | pattern::SERVICE | pattern::SUBDOMAIN | pattern::PORT => {
            let dots = pattern.expression == pattern::SUBDOMAIN;
            let changed: String = text
                .chars()
                .map(|c| {
                    if c.is_ascii_alphanumeric() || (dots && c == '.') {
                        c.to_ascii_lowercase()
                    } else {
                        '-'
                    }
                })
                .collect();
            changed.trim_matches(['-', '.']).to_owned()
        }
        pattern::CONFIG_KEY => text.replace([' ', '/', ':'], "_"),
        _ => text.replace([' ', '/', ':', '-'], "_"),
    };
    ((pattern.accepts)(&meant) && meant != text).then(|| format!("did you mean `{meant}`?"))
}

/// `128mb` is no unit of Kubernetes.
fn unit(text: &str) -> Option<String> {
    let together = text.replace(' ', "");
    if together != text
        && pattern::find(pattern::QUANTITY).is_some_and(|pattern| (pattern.accepts)(&together))
    {
        return Some(format!("write `{together}`, without a blank"));
    }
    let place = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(place);
    let letter = match unit.trim().to_ascii_lowercase().as_str() {
        "k" | "kb" | "kib" | "ki" => 'K',
        "m" | "mb" | "mib" | "mi" => 'M',
        "g" | "gb" | "gib" | "gi" => 'G',
        "t" | "tb" | "tib" | "ti" => 'T',
        _ => return None,
    };
    if number.is_empty() {
        return None;
    }
    Some(format!("Kubernetes writes `{number}{letter}i`, counted in 1024s, or `{number}{letter}`, in 1000s")
        .replace(&format!("{number}K`, in"), &format!("{number}k`, in")))
}

/// The candidate that is nearest, if it is at most so many changes away; long words may differ more.
pub(in crate::values) fn nearest<'a>(
    word: &str,
    candidates: &[&'a str],
    most: usize,
) -> Option<&'a str> {
    let simple = |text: &str| text.replace(['-', '_', ' '], "").to_ascii_lowercase();
    let wanted = simple(word);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let this = simple(candidate);
        let longest = wanted.chars().count().max(this.chars().count());
        let distance = strsim::osa_distance(&wanted, &this);
        let cut = wanted.len() >= 5
            && (this.starts_with(&wanted) || wanted.starts_with(&this) && this.len() >= 4);
        let same_begin = wanted
            .chars()
            .zip(this.chars())
            .take_while(|(one, other)| one == other)
            .count()
            >= 8;
        let distance = if (cut || same_begin) && most > 1 {
            distance.min(2)
        } else {
            distance
        };
        if distance <= most
            && distance * 3 <= longest
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The maps a step or two below that have the key.
fn below(key: &str, shape: &Shape, root: &Shape) -> Option<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    let mut nearest = usize::MAX;
    let mut open: VecDeque<(&Shape, String, usize)> = VecDeque::from([(shape, String::new(), 0)]);
    while let Some((shape, path, cost)) = open.pop_front() {
        if cost > 0 && shape.properties.contains_key(key) && cost <= nearest {
            nearest = cost;
            found.push(path.clone());
        }
        if cost > 1 || cost >= nearest {
            continue;
        }
        for (name, below) in &shape.properties {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            for alternative in below.alternatives(root) {
                match &alternative.additional_properties {
                    Some(Additional::Like(each)) => {
                        for alternative in each.alternatives(root) {
                            open.push_back((alternative, format!("{path}.<name>"), cost + 1));
                        }
                    }
                    _ => open.push_back((alternative, path.clone(), cost + 1)),
                }
            }
        }
    }
    // Far below there may be many, none of which is meant.
    let most = if nearest == 1 { 3 } else { 1 };
    (1..=most).contains(&found.len()).then_some(found)
}

/// The maps around that have the key, or else maps just below those.
fn above(key: &str, here: &Place<'_>, root: &Shape) -> Option<Vec<String>> {
    let mut place = here.up;
    while let Some(around) = place {
        let path = around.at.to_string();
        if around.shape.properties.contains_key(key) {
            return Some(vec![path]);
        }
        if let Some(found) = below(key, around.shape, root) {
            let from_root = |name: String| {
                if path.is_empty() {
                    name
                } else {
                    format!("{path}.{name}")
                }
            };
            return Some(found.into_iter().map(from_root).collect());
        }
        place = around.up;
    }
    None
}
