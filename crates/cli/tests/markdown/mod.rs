//! The fenced blocks of a page, and what is in them.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses a part of it"
)]

/// A fenced block.
pub struct Block {
    /// What stands behind its first fence, such as `yaml values`.
    pub kind: String,
    /// The line of its first fence.
    pub line: usize,
    /// What is between the fences.
    pub text: String,
}

/// The fenced blocks of a page, also those that are indented in a list.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<(usize, Block)> = None;
    for (number, line) in page.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(kind)) => {
                let block = Block {
                    kind: kind.trim().to_owned(),
                    line: number + 1,
                    text: String::new(),
                };
                open = Some((indent, block));
            }
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(_, block)| block)),
            (Some((indent, block)), None) => {
                block.text.push_str(line.get(*indent..).unwrap_or_default());
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block without an end");
    blocks
}

/// The targets of the links to other places of the repository.
pub fn links(page: &str) -> Vec<String> {
    let ends = page
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    ends.map(|(target, _)| target.to_owned())
        .filter(|target| !target.contains("://") && !target.contains(char::is_whitespace))
        .collect()
}

/// The anchors that GitHub gives to the headings of a page.
pub fn headings(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let kept = line.trim_start_matches('#').trim().to_lowercase();
            let kept = kept
                .chars()
                .filter(|sign| sign.is_alphanumeric() || " -_".contains(*sign));
            kept.collect::<String>().replace(' ', "-")
        })
        .collect()
}

/// A fragment `migrations: …` as the whole values file that it is a part of.
pub fn under_a_deployment(fragment: &str) -> String {
    let head = "deployments:\n  my-app:\n    containers:\n      main:\n        image: my-app\n        \
                imageTag: v1.0.0\n        command: [/app/my-app]\n";
    let indented = fragment.lines().map(|line| format!("    {line}\n"));
    indented.fold(head.to_owned(), |text, line| text + &line)
}

/// The arguments of every call of a program in shell lines: up to a pipe, a redirection or a comment.
pub fn commands(script: &str, program: &str) -> Vec<Vec<String>> {
    let joined = script.replace("\\\n", " ");
    let mut commands = Vec::new();
    for part in joined.lines().flat_map(|line| line.split(" | ")) {
        let part = part.trim().trim_start_matches("$ ");
        let mut words = part.split_whitespace();
        if words.next() != Some(program) {
            continue;
        }
        let words = words
            .take_while(|word| !word.starts_with(['#', '>', ';', '&']) && !word.starts_with("2>"));
        commands.push(
            words
                .map(|word| word.trim_matches(['\'', '"']).to_owned())
                .collect(),
        );
    }
    commands
}
