//! The rules, one file each. A new one is its file and its lines here.

use super::rule::Rule;

/// What almost every rule needs.
mod prelude {
    pub(super) use super::super::finding::{Kind, Severity};
    pub(super) use super::super::remedy;
    pub(super) use super::super::rule::{At, Check, Claim, Example, Needs, Peers, Report, Rule};
    pub(super) use crate::Dialect;
    pub(super) use crate::ObjectKind;
    pub(super) use crate::effect::{Blocks, Work};
    pub(super) use crate::operation::OperationKind;

    /// All of them.
    pub(super) const EVERY: &[Dialect] = &[Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite];
}

mod bc_add_column;
mod bc_add_enum_value;
mod bc_change_default;
mod bc_drop_column;
mod bc_drop_constraint;
mod bc_drop_default;
mod bc_drop_extension;
mod bc_drop_function;
mod bc_drop_not_null;
mod bc_drop_schema;
mod bc_drop_sequence;
mod bc_drop_table;
mod bc_drop_trigger;
mod bc_drop_type;
mod bc_drop_unique_index;
mod bc_drop_view;
mod bc_narrow_type;
mod bc_new_restriction;
mod bc_privileges;
mod bc_remove_enum_value;
mod bc_rename_column;
mod bc_rename_constraint;
mod bc_rename_enum_value;
mod bc_rename_function;
mod bc_rename_index;
mod bc_rename_schema;
mod bc_rename_sequence;
mod bc_rename_table;
mod bc_rename_type;
mod bc_rename_view;
mod bc_replace_function;
mod bc_replace_view;
mod bc_required_column;
mod bc_result_type;
mod bc_set_not_null;
mod bc_set_schema;
mod behind_contract;
pub(super) mod contract_without_break;
mod dd_check_violations;
mod dd_fk_orphans;
mod dd_implicit_default;
mod dd_not_null_has_nulls;
mod dd_unique_duplicates;
mod ddl_dml_mixed_tx;
mod ds_delete_without_where;
mod ds_drop_database;
mod ds_drop_nonempty;
mod ds_truncate;
mod duplicate_version;
mod edited_file;
mod identifier_too_long;
mod lt_add_fk_default;
mod lt_add_not_null;
mod lt_add_stored;
mod lt_add_unique_or_pk;
mod lt_drop_used_column;
mod lt_index_build;
mod lt_long_write;
mod lt_nonconstant_default;
mod lt_pragma_in_tx;
mod lt_rebuild;
mod lt_version;
pub(super) mod my_assert_algorithm;
mod my_charset;
mod my_copy;
mod my_drop_indexed_column;
mod my_engine;
mod my_enum_set;
mod my_explicit_lock;
mod my_fk_add;
mod my_float;
mod my_implicit_commit;
mod my_inline_references;
mod my_inplace_rebuild;
mod my_invisible_first;
mod my_lock_shared_inplace;
mod my_mass_dml;
mod my_mixed_instant;
mod my_modify_loses_attributes;
mod my_no_primary_key;
mod my_rename_in_alter;
mod my_row_versions;
mod my_zero_date;
mod naming;
pub(super) mod observed_lock;
mod opaque;
mod out_of_order;
mod pg_14_cic_corruption;
mod pg_add_column_generated_stored;
mod pg_add_column_serial;
mod pg_add_column_volatile_default;
mod pg_alter_type;
mod pg_alter_type_dependents;
mod pg_attach_scan;
mod pg_check_not_valid;
mod pg_concurrently_if_not_exists;
mod pg_concurrently_in_tx;
mod pg_concurrently_partitioned;
mod pg_create_partition_of;
mod pg_create_table_fk;
mod pg_detach_concurrently;
mod pg_domain_constraint;
mod pg_drop_index_concurrently;
mod pg_drop_used_column;
mod pg_enum_add_in_tx;
mod pg_exclusion;
mod pg_fk_index;
mod pg_fk_lock_both;
mod pg_fk_not_valid;
mod pg_hold_access_exclusive;
mod pg_index_concurrently;
mod pg_json;
mod pg_lock_table;
mod pg_many_columns_index;
mod pg_mass_dml;
mod pg_matview_refresh;
mod pg_merge_alters;
pub(super) mod pg_multi_table_lock;
mod pg_pk_using_index_nullable;
mod pg_primary_key;
mod pg_reindex_concurrently;
mod pg_rewrite_maintenance;
mod pg_set_not_null;
mod pg_timeout_override;
mod pg_trigger_lock;
mod pg_truncate;
mod pg_truncate_cascade;
mod pg_unique_constraint;
mod pg_validate_same_tx;
mod style_bigint;
mod style_identity;
mod style_text;
mod style_timestamptz;
mod tx_control;
pub(super) mod unknown_rule;
pub(super) mod unused_allow;

/// All rules: those of one database, then those of all; by name.
pub static ALL: &[&Rule] = &[
    &pg_14_cic_corruption::RULE,
    &pg_add_column_generated_stored::RULE,
    &pg_add_column_serial::RULE,
    &pg_add_column_volatile_default::RULE,
    &pg_alter_type::RULE,
    &pg_alter_type_dependents::RULE,
    &pg_attach_scan::RULE,
    &pg_check_not_valid::RULE,
    &pg_concurrently_if_not_exists::RULE,
    &pg_concurrently_in_tx::RULE,
    &pg_concurrently_partitioned::RULE,
    &pg_create_partition_of::RULE,
    &pg_create_table_fk::RULE,
    &pg_detach_concurrently::RULE,
    &pg_domain_constraint::RULE,
    &pg_drop_index_concurrently::RULE,
    &pg_drop_used_column::RULE,
    &pg_enum_add_in_tx::RULE,
    &pg_exclusion::RULE,
    &pg_fk_index::RULE,
    &pg_fk_lock_both::RULE,
    &pg_fk_not_valid::RULE,
    &pg_hold_access_exclusive::RULE,
    &pg_index_concurrently::RULE,
    &pg_json::RULE,
    &pg_lock_table::RULE,
    &pg_many_columns_index::RULE,
    &pg_mass_dml::RULE,
    &pg_matview_refresh::RULE,
    &pg_merge_alters::RULE,
    &pg_multi_table_lock::RULE,
    &pg_pk_using_index_nullable::RULE,
    &pg_primary_key::RULE,
    &pg_reindex_concurrently::RULE,
    &pg_rewrite_maintenance::RULE,
    &pg_set_not_null::RULE,
    &pg_timeout_override::RULE,
    &pg_trigger_lock::RULE,
    &pg_truncate::RULE,
    &pg_truncate_cascade::RULE,
    &pg_unique_constraint::RULE,
    &pg_validate_same_tx::RULE,
    &my_assert_algorithm::RULE,
    &my_charset::RULE,
    &my_copy::RULE,
    &my_drop_indexed_column::RULE,
    &my_engine::RULE,
    &my_enum_set::RULE,
    &my_explicit_lock::RULE,
    &my_fk_add::RULE,
    &my_float::RULE,
    &my_implicit_commit::RULE,
    &my_inline_references::RULE,
    &my_inplace_rebuild::RULE,
    &my_invisible_first::RULE,
    &my_lock_shared_inplace::RULE,
    &my_mass_dml::RULE,
    &my_mixed_instant::RULE,
    &my_modify_loses_attributes::RULE,
    &my_no_primary_key::RULE,
    &my_rename_in_alter::RULE,
    &my_row_versions::RULE,
    &my_zero_date::RULE,
    &lt_add_fk_default::RULE,
    &lt_add_not_null::RULE,
    &lt_add_stored::RULE,
    &lt_add_unique_or_pk::RULE,
    &lt_drop_used_column::RULE,
    &lt_index_build::RULE,
    &lt_long_write::RULE,
    &lt_nonconstant_default::RULE,
    &lt_pragma_in_tx::RULE,
    &lt_rebuild::RULE,
    &lt_version::RULE,
    &bc_add_column::RULE,
    &bc_add_enum_value::RULE,
    &bc_change_default::RULE,
    &bc_drop_column::RULE,
    &bc_drop_constraint::RULE,
    &bc_drop_default::RULE,
    &bc_drop_extension::RULE,
    &bc_drop_function::RULE,
    &bc_drop_not_null::RULE,
    &bc_drop_schema::RULE,
    &bc_drop_sequence::RULE,
    &bc_drop_table::RULE,
    &bc_drop_trigger::RULE,
    &bc_drop_type::RULE,
    &bc_drop_unique_index::RULE,
    &bc_drop_view::RULE,
    &bc_narrow_type::RULE,
    &bc_new_restriction::RULE,
    &bc_privileges::RULE,
    &bc_remove_enum_value::RULE,
    &bc_rename_column::RULE,
    &bc_rename_constraint::RULE,
    &bc_rename_enum_value::RULE,
    &bc_rename_function::RULE,
    &bc_rename_index::RULE,
    &bc_rename_schema::RULE,
    &bc_rename_sequence::RULE,
    &bc_rename_table::RULE,
    &bc_rename_type::RULE,
    &bc_rename_view::RULE,
    &bc_replace_function::RULE,
    &bc_replace_view::RULE,
    &bc_required_column::RULE,
    &bc_result_type::RULE,
    &bc_set_not_null::RULE,
    &bc_set_schema::RULE,
    &dd_check_violations::RULE,
    &dd_fk_orphans::RULE,
    &dd_implicit_default::RULE,
    &dd_not_null_has_nulls::RULE,
    &dd_unique_duplicates::RULE,
    &ds_delete_without_where::RULE,
    &ds_drop_database::RULE,
    &ds_drop_nonempty::RULE,
    &ds_truncate::RULE,
    &behind_contract::RULE,
    &contract_without_break::RULE,
    &ddl_dml_mixed_tx::RULE,
    &duplicate_version::RULE,
    &edited_file::RULE,
    &identifier_too_long::RULE,
    &naming::RULE,
    &observed_lock::RULE,
    &opaque::RULE,
    &out_of_order::RULE,
    &style_bigint::RULE,
    &style_identity::RULE,
    &style_text::RULE,
    &style_timestamptz::RULE,
    &tx_control::RULE,
    &unknown_rule::RULE,
    &unused_allow::RULE,
];
