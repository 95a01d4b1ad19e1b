//! Which process holds the lease, and whether it still exists (Linux `/proc`, manual page proc(5)).
//!
//! A process is named by host, boot, process-id namespace, process id and start time: ids are used again after a
//! reboot, in other containers, and after a process has ended.

use std::fmt;
use std::fs;
use std::io;

/// Stands for a part that this system does not tell.
const UNKNOWN: &str = "-";

/// A process, as stored in `forerun_lock.backend`: `host/boot/namespace/pid/start`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    host: String,
    boot: String,
    namespace: String,
    id: u32,
    /// Clock ticks after boot.
    start: String,
}

impl Process {
    /// This process.
    pub fn current(host: &str) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let namespace: String = namespace
            .to_string_lossy()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        let known = |text: &str| {
            if text.is_empty() {
                UNKNOWN.to_owned()
            } else {
                text.to_owned()
            }
        };
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self {
            host: host.to_owned(),
            boot: known(boot.trim()),
            namespace: known(&namespace),
            id: std::process::id(),
            start: known(state_and_start(&stat).map_or("", |(_, start)| start)),
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        // From the right: nobody keeps a slash out of a host name.
        let mut parts = text.rsplitn(5, '/');
        let start = parts.next()?.to_owned();
        let id = parts.next()?.parse().ok()?;
        let namespace = parts.next()?.to_owned();
        let boot = parts.next()?.to_owned();
        Some(Self {
            host: parts.next()?.to_owned(),
            boot,
            namespace,
            id,
            start,
        })
    }

    /// Whether it still exists, seen from `here`; `None` when that cannot be told.
    pub fn exists(&self, here: &Self) -> Option<bool> {
        let same_place =
            (&self.host, &self.boot, &self.namespace) == (&here.host, &here.boot, &here.namespace);
        if !same_place || [&self.boot, &self.namespace, &self.start].contains(&&UNKNOWN.to_owned())
        {
            return None;
        }
        match fs::read_to_string(format!("/proc/{}/stat", self.id)) {
            Ok(stat) => {
                let (state, start) = state_and_start(&stat)?;
                Some(start == self.start && !matches!(state, "Z" | "X" | "x"))
            }
            // With the mount option `hidepid` the processes of other users look as if they did not exist.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (!processes_are_hidden()).then_some(false)
            }
            Err(_) => None,
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}/{}/{}/{}/{}",
            self.host, self.boot, self.namespace, self.id, self.start
        )
    }
}

/// Fields 3 and 22 of `/proc/<pid>/stat`. Field 2 is a name in parentheses that can hold anything.
fn state_and_start(stat: &str) -> Option<(&str, &str)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    Some((fields.next()?, fields.nth(18)?))
}

fn processes_are_hidden() -> bool {
    let Ok(mounts) = fs::read_to_string("/proc/self/mounts") else {
        return true;
    };
    mounts.lines().any(|line| {
        let mut fields = line.split(' ').skip(1);
        let proc = fields.next() == Some("/proc") && fields.next() == Some("proc");
        let options = fields.next().unwrap_or_default();
        proc && options.split(',').any(|option| {
            option
                .strip_prefix("hidepid=")
                .is_some_and(|level| !matches!(level, "0" | "off"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_can_be_read_back() {
        let here = Process::current("a/b");
        assert_eq!(Process::parse(&here.to_string()), Some(here));
        assert_eq!(Process::parse("1234@2026"), None);
    }

    #[test]
    fn this_process_exists_and_others_are_told_apart() {
        let here = Process::current("h");
        assert_eq!(here.exists(&here), Some(true));
        let reused = Process {
            start: "1".to_owned(),
            ..here.clone()
        };
        assert_eq!(
            reused.exists(&here),
            Some(false),
            "the id belongs to another process now"
        );
        assert_eq!(
            Process {
                host: "other".to_owned(),
                ..here.clone()
            }
            .exists(&here),
            None
        );
        assert_eq!(
            Process {
                boot: "other".to_owned(),
                ..here.clone()
            }
            .exists(&here),
            None
        );
        assert_eq!(
            Process {
                namespace: "1".to_owned(),
                ..here.clone()
            }
            .exists(&here),
            None
        );
        assert_eq!(
            Process {
                start: UNKNOWN.to_owned(),
                ..here.clone()
            }
            .exists(&here),
            None
        );
    }

    #[test]
    fn an_ended_process_is_gone_also_as_a_zombie() {
        let here = Process::current("h");
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let start = state_and_start(&stat).unwrap().1.to_owned();
        let process = Process {
            id: child.id(),
            start,
            ..here.clone()
        };
        assert_eq!(process.exists(&here), Some(true));
        child.kill().unwrap();
        // Until it is waited for, it is a zombie.
        while process.exists(&here) == Some(true) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(process.exists(&here), Some(false));
        child.wait().unwrap();
        assert_eq!(process.exists(&here), Some(false));
    }

    #[test]
    fn names_with_parentheses_do_not_confuse() {
        let stat = "7 (a) S (b) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(state_and_start(stat), Some(("Z", "4711")));
    }
}
