//! Help, version, and mistakes on the command line.

use std::io::Write;

use crate::exit_code::ExitCode;
use crate::output::termination_message;
use crate::settings::environment::Environment;
use crate::settings::process_title::holds_password;
use crate::settings::termination_message_path;

/// Shows what clap has to say, and tells the kubelet. A mistyped argument is repeated by it, so a URL with a password
/// is masked.
pub fn show(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A closed pipe is no reason to complain.
        let _ = error.print();
        return ExitCode::Done;
    }
    let arguments = || std::env::args_os().filter_map(|argument| argument.into_string().ok());
    let text = mask(error.render().ansi().to_string(), arguments());
    let _ = anstream::stderr().write_all(text.as_bytes());
    let code = ExitCode::Usage;
    let plain = mask(error.render().to_string(), arguments());
    let sentence = plain.lines().next().unwrap_or_default();
    termination_message::write(
        &termination_message_path(&Environment::of_process()),
        code.number(),
        code.outcome(),
        sentence.strip_prefix("error: ").unwrap_or(sentence),
        None,
    );
    code
}

fn mask(text: String, arguments: impl Iterator<Item = String>) -> String {
    let secrets = arguments.filter(|argument| holds_password(argument));
    secrets.fold(text, |text, secret| text.replace(&secret, "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_in_the_wrong_place_is_masked() {
        let arguments = ["migrate", "postgres://u:p@h/d"].map(str::to_owned);
        let text = mask(
            "unexpected argument 'postgres://u:p@h/d'".to_owned(),
            arguments.into_iter(),
        );
        assert_eq!(text, "unexpected argument '***'");
    }
}
