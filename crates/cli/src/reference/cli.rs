//! `cli.md`: every command and option.

use std::fmt::Write;

use clap::{Arg, Command};

use super::{GENERATED, cell, visible_command};

pub(super) fn page() -> String {
    let mut command = visible_command();
    command.build();
    let mut text = format!("{GENERATED}\n# Commands\n\n");
    text.push_str(
        "Durations are `300` (seconds), `500ms`, `5m` or `1h30m`. An option wins over its environment variable \
         ([environment.md](environment.md)); what a command ends with is in [exit-codes.md](exit-codes.md).\n",
    );
    text.push_str("\n## Options of every command\n\n");
    options(
        &mut text,
        command
            .get_arguments()
            .filter(|argument| argument.is_global_set()),
    );
    for (name, command) in commands(&command, "forerun") {
        section(&mut text, &name, command);
    }
    text
}

/// Commands that can be run, with their full names, in the order of the help.
pub(super) fn commands<'a>(parent: &'a Command, name: &str) -> Vec<(String, &'a Command)> {
    let mut found = Vec::new();
    for command in parent
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
    {
        let name = format!("{name} {}", command.get_name());
        if command.has_subcommands() {
            found.extend(commands(command, &name));
        } else {
            found.push((name, command));
        }
    }
    found
}

fn section(text: &mut String, name: &str, command: &Command) {
    let _ = writeln!(text, "\n## {name}\n");
    if let Some(about) = command.get_long_about().or_else(|| command.get_about()) {
        let _ = writeln!(text, "{}.\n", about.to_string().trim_end_matches('.'));
    }
    let aliases: Vec<_> = command
        .get_visible_aliases()
        .map(|alias| format!("`{alias}`"))
        .collect();
    if !aliases.is_empty() {
        let _ = writeln!(text, "Also: {}.\n", aliases.join(", "));
    }
    let usage = command.clone().render_usage().to_string();
    let _ = writeln!(
        text,
        "```text\n{}\n```\n",
        usage.trim_start_matches("Usage: ")
    );
    options(
        text,
        command
            .get_arguments()
            .filter(|argument| !argument.is_global_set()),
    );
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(text, "\n```text\n{after}\n```");
    }
}

fn options<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let arguments: Vec<_> = arguments
        .filter(|argument| {
            !argument.is_hide_set()
                && !matches!(argument.get_id().as_str(), "help" | "version-flag")
        })
        .collect();
    if arguments.is_empty() {
        return;
    }
    text.push_str("| Option | Meaning |\n|---|---|\n");
    for argument in arguments {
        let help = argument
            .get_long_help()
            .or_else(|| argument.get_help())
            .map(ToString::to_string)
            .unwrap_or_default();
        let mut values: Vec<String> = argument
            .get_possible_values()
            .iter()
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        // A switch has the values of a boolean, which nobody writes.
        if !argument.get_action().takes_values() {
            values.clear();
        }
        let values = if values.is_empty() {
            String::new()
        } else {
            format!(". One of {}.", values.join(", "))
        };
        let _ = writeln!(
            text,
            "| `{}` | {}{} |",
            cell(&spelling(argument)),
            cell(&help.replace("\n\n", ". ")),
            cell(&values)
        );
    }
}

/// `-u, --url <URL>`
fn spelling(argument: &Arg) -> String {
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = [short, long].into_iter().flatten().collect();
    let takes_value = argument.get_action().takes_values();
    let values: Vec<String> = argument
        .get_value_names()
        .filter(|_| takes_value)
        .unwrap_or_default()
        .iter()
        .map(|value| format!("<{value}>"))
        .collect();
    let mut spelling = names.join(", ");
    if !values.is_empty() {
        if !spelling.is_empty() {
            spelling.push(' ');
        }
        spelling.push_str(&values.join(" "));
    }
    spelling
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_section_and_every_option_its_variable() {
        let page = page();
        for part in [
            "## forerun migrate up\n",
            "Also: `apply`",
            "## forerun exec\n",
            "`-u, --url <URL>`",
            "\\[env: DATABASE_URL]",
        ] {
            assert!(
                page.contains(part.trim_start_matches('\\')),
                "{part}\n{page}"
            );
        }
        assert!(!page.contains("__guarded") && !page.contains("forerun docs\n"));
        for variable in crate::settings::environment::ALL {
            if variable.option.is_some() {
                assert!(
                    page.contains(&format!("[env: {}]", variable.name)),
                    "{}",
                    variable.name
                );
            }
        }
    }
}
