//! Copies of what the values create and a migration needs before it is created.
//!
//! A Job that runs before the release finds neither its Secrets nor its ConfigMaps on a first install; and the old
//! version's must not change before the migrations have succeeded. So the Job gets copies under names of their own,
//! and the application's stay ordinary objects of the release.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodSpec, ServiceAccount as KubeServiceAccount};

use super::metadata::{Metadata, merged, object};
use super::names::limited;
use super::plan::{Account, Plan};
use super::{Delivery, Object, RenderError, configuration, hook, references};
use crate::values::Values;

/// Name of the copy.
pub fn name(original: &str) -> String {
    limited(&format!("{original}-migrations"), "")
}

/// Delivery and weight of a copy.
type Hook = (Delivery, i32);

/// Which copies the Jobs need, by the name of the original; each once, before the first Job that needs it.
#[derive(Default)]
pub struct Needed {
    configs: BTreeMap<String, Hook>,
    accounts: BTreeMap<String, Hook>,
}

impl Needed {
    /// Lets the pod of a Job use copies, and notes them.
    pub fn by_pod(&mut self, pod: &mut PodSpec, plan: &Plan<'_>) {
        if plan.delivery == Delivery::Plain {
            return;
        }
        references::of_everything(pod, &mut |kind, reference| {
            if references::is_config(plan.values, kind, reference) {
                note(&mut self.configs, reference, plan);
                *reference = name(reference);
            }
        });
        if let Account::Copy { of } = &plan.account {
            note(&mut self.accounts, of, plan);
        }
    }

    /// The copies.
    pub fn objects(self, values: &Values, metadata: &Metadata) -> Result<Vec<Object>, RenderError> {
        let mut objects = Vec::new();
        for (original, (delivery, weight)) in self.configs {
            if let Some(config) = values.configs.get(&original) {
                let annotations = metadata.annotations(&config.annotations);
                objects.push(configuration::config(
                    config,
                    object(
                        &name(&original),
                        metadata.migration_labels(&config.labels),
                        merged(&annotations, &hook::before(delivery, weight)),
                    ),
                )?);
            }
        }
        let mut created = configuration::service_accounts(values);
        for (original, (delivery, weight)) in self.accounts {
            if let Some(account) = created.remove(&original) {
                let account = account.account;
                let annotations = metadata.annotations(&account.annotations);
                let copy: KubeServiceAccount = configuration::service_account(
                    &account,
                    object(
                        &name(&original),
                        metadata.migration_labels(&account.labels),
                        merged(&annotations, &hook::before(delivery, weight)),
                    ),
                );
                objects.push(Object::new(&copy)?);
            }
        }
        Ok(objects)
    }
}

/// A copy that several need comes before the first of them.
fn note(copies: &mut BTreeMap<String, Hook>, name: &str, plan: &Plan<'_>) {
    let entry = copies
        .entry(name.to_owned())
        .or_insert((plan.delivery, plan.weight()));
    entry.1 = entry.1.min(plan.weight());
}
