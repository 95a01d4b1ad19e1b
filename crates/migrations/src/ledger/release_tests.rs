//! Orders of releases, by their names and by the ledger.

use std::cmp::Ordering;

use super::super::{DeploymentStatus, for_test};
use super::*;
use DeploymentStatus::{Completed, Open, Superseded};

#[test]
fn numbers_have_an_order_of_their_own() {
    for ordered in [
        &[
            "1",
            "1.9",
            "v1.10",
            "2.5.0-alpha",
            "2.5.0-beta",
            "2.5.0-beta2",
            "2.5.0-M1",
            "2.5.0-rc",
            "2.5.0-rc.2",
            "2.5.0-rc.2-7-gabc1234",
            "2.5.0-rc.10",
            "2.5",
            "v2.5.0-3-gabc1234",
            "2.5.0-12-g0012345",
            "V2.5.1",
            "v3",
        ][..],
        &["2.5.0-SNAPSHOT", "2.5.0"],
        &["2.5.0-dev.20261121", "2.5.0-dev.20261122", "2.5.0"],
        &["2.5.0-preview-alpine", "2.5.0-alpine", "2.6.0-slim"],
        &["7", "99", "8812", "120400"],
        &["20260131", "20261121-f3a9c1", "20261122-0b1d22"],
        &["2026-11-22", "2026-12-01-abc", "2027-01-01"],
        &["202611220930", "202611221000"],
    ] {
        for (index, one) in ordered.iter().enumerate() {
            for (place, other) in ordered.iter().enumerate() {
                assert_eq!(
                    by_names(one, other),
                    Some(index.cmp(&place)),
                    "{one} {other}"
                );
            }
        }
    }
}

#[test]
fn one_release_has_several_names() {
    for (one, other) in [
        ("2.5", "v2.5.0"),
        ("02.5", "2.05+build.7"),
        ("a1b2", "a1b2"),
        ("2.5.0-rc.1", "v2.5.0-RC1"),
        ("v2.5.0-alpine", "2.5-alpine"),
        ("2.5.0-3-gabc1234", "v2.5.0-3-gabc12345"),
        ("1023456", "1023456"),
    ] {
        assert!(same_release(one, other), "{one} {other}");
    }
    for (one, other) in [
        ("a1b2", "A1B2"),
        ("2.5.0", "2.5.0-alpine"),
        ("2.5.0", "2.5.0-1"),
        ("0123456", "123456"),
        ("2.5.0-3-gabc1234", "2.5.0-3-gdef5678"),
    ] {
        assert!(!same_release(one, other), "{one} {other}");
    }
}

#[test]
fn names_that_only_look_like_it_have_none() {
    for (one, other) in [
        // Other builds of the same version.
        ("2.5.0", "2.5.0-alpine"),
        ("2.5.0-slim", "2.5.0-alpine"),
        ("2.5.0-rc.1", "2.5.0-alpine"),
        ("2.5.0", "2.5.0-alphabet"),
        ("2.5.0", "2.5.0-m"),
        ("2.5.0", "2.5.0-1"),
        // The same day, the same distance from the tag.
        ("20261122-0b1d22", "20261122-f3a9c1"),
        ("20261122", "202611220930"),
        ("v2.5.0-3-gabc1234", "v2.5.0-3-gdef5678"),
        // Hashes that happen to be digits.
        ("1023456", "2.5.0"),
        ("1023456", "9999999"),
        ("1023456", "8812"),
        ("20269999", "20261122"),
        // Different kinds.
        ("8812", "2.5.0"),
        ("20261122", "8812"),
        ("20261122", "2.5.0"),
        // Which of them comes first is not known everywhere.
        ("2.5.0-dev", "2.5.0-rc.1"),
        ("2.5.0", "a1b2c3"),
    ] {
        assert_eq!(by_names(one, other), None, "{one} {other}");
        assert_eq!(by_names(other, one), None, "{other} {one}");
        let ledger = [for_test(1, other, Completed), for_test(2, one, Completed)];
        assert_eq!(order(one, other, &[]), None, "{one} {other}");
        let by_ledger = order(one, other, &ledger);
        assert_eq!(by_ledger, Some(Ordering::Greater), "{one} {other}");
    }
}

#[test]
fn other_names_have_the_order_of_the_ledger() {
    let ledger = [
        for_test(1, "a1b2c3", Completed),
        for_test(2, "2.5.0", Completed),
        for_test(3, "ffee00", Open),
        // A rollback makes a release no newer than it is.
        for_test(4, "a1b2c3", Completed),
    ];
    assert_eq!(order("a1b2c3", "ffee00", &ledger), Some(Ordering::Less));
    assert_eq!(order("ffee00", "2.5.0", &ledger), Some(Ordering::Greater));
    assert_eq!(order("ffee00", "0d0d0d", &ledger), None);
    assert_eq!(order("2.4.0", "ffee00", &ledger), None);
}

#[test]
fn what_was_tried_too_early_is_not_old() {
    let row = |id, release, status, newest: u32| Deployment {
        directory_version: Some(Version::from(newest)),
        ..for_test(id, release, status)
    };
    // The third release came before the second one, which was then deployed first as it was told.
    let mut ledger = vec![
        row(1, "aaa111", Completed, 1),
        row(2, "ccc333", Superseded, 3),
        row(3, "bbb222", Completed, 2),
    ];
    assert_eq!(order("ccc333", "bbb222", &ledger), Some(Ordering::Greater));
    // Also when it had been completed.
    ledger[1].status = Completed;
    assert_eq!(order("ccc333", "bbb222", &ledger), Some(Ordering::Greater));
    // Without numbers in the directory, from when on it has been completed.
    for deployment in &mut ledger {
        deployment.directory_version = None;
    }
    ledger[1].status = Superseded;
    ledger.push(for_test(4, "ccc333", Completed));
    assert_eq!(order("ccc333", "bbb222", &ledger), Some(Ordering::Greater));
    assert_eq!(order("aaa111", "bbb222", &ledger), Some(Ordering::Less));
}
