//! The rules: one file each, and the table of all of them.

mod argo_disables_helm_hooks;
mod backoff_limit;
mod config_as_hook;
mod database_in_release;
mod deadline;
mod empty_pull_secret;
mod endless_wait;
mod equal_hook_weights;
mod fixed_name;
mod hook_needs_later_object;
mod hook_on_pod_template;
mod ignore_without_reason;
mod invalid_name;
mod leftover_jobs;
mod mesh_sidecar;
mod no_hook_log;
mod no_resources;
mod non_deterministic;
mod non_string_value;
mod not_restricted;
mod parallel_migrations;
mod post_hook_deadlock;
mod probes_on_migration;
mod restart_policy;
mod revision_in_name;
mod runs_the_application;
mod secret_in_manifest;
mod service_account_token;
mod several_containers;
mod shared_volume_claim;
mod short_ttl;
mod unknown_field;
mod unknown_hook;
mod unpinned_image;

use super::rule::Rule;

/// Every rule, in the order of the reference page.
static ALL: [Rule; 34] = [
    hook_needs_later_object::RULE,
    equal_hook_weights::RULE,
    database_in_release::RULE,
    post_hook_deadlock::RULE,
    several_containers::RULE,
    probes_on_migration::RULE,
    runs_the_application::RULE,
    backoff_limit::RULE,
    deadline::RULE,
    restart_policy::RULE,
    parallel_migrations::RULE,
    invalid_name::RULE,
    non_deterministic::RULE,
    fixed_name::RULE,
    leftover_jobs::RULE,
    short_ttl::RULE,
    argo_disables_helm_hooks::RULE,
    revision_in_name::RULE,
    secret_in_manifest::RULE,
    non_string_value::RULE,
    unpinned_image::RULE,
    not_restricted::RULE,
    service_account_token::RULE,
    endless_wait::RULE,
    shared_volume_claim::RULE,
    unknown_field::RULE,
    config_as_hook::RULE,
    hook_on_pod_template::RULE,
    unknown_hook::RULE,
    no_hook_log::RULE,
    mesh_sidecar::RULE,
    no_resources::RULE,
    empty_pull_secret::RULE,
    ignore_without_reason::RULE,
];

/// Every rule, in the order of the reference page.
pub fn all() -> &'static [Rule] {
    &ALL
}

/// The rule of this name.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case_and_used_once() {
        let mut seen = std::collections::HashSet::new();
        for rule in all() {
            assert!(seen.insert(rule.id), "{} is there twice", rule.id);
            assert!(
                rule.id
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{}",
                rule.id
            );
            assert!(
                !rule.title.ends_with('.') && rule.why.ends_with('.') && rule.fix.ends_with('.'),
                "{}",
                rule.id
            );
            assert!(std::ptr::eq(find(rule.id).unwrap(), rule));
        }
    }
}
