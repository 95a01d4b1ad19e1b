//! Where and when the numbers were taken.

use std::fs;
use std::process::Command;

/// Lines about the machine.
pub fn describe() -> Vec<String> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors
        .lines()
        .find_map(|line| {
            line.strip_prefix("model name")?
                .split_once(':')
                .map(|(_, name)| name.trim().to_owned())
        })
        .unwrap_or_else(|| "unknown processor".to_owned());
    let memory_kib: u64 = read("/proc/meminfo")
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    let filesystem = said("df", &["--output=fstype", "/tmp"])
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();
    vec![
        format!("- {} UTC", said("date", &["-u", "+%Y-%m-%d %H:%M"])),
        format!(
            "- {count} × {model}, {:.0} GiB memory, Linux {}, /tmp on {filesystem}",
            f64::from(u32::try_from(memory_kib / 1024).unwrap_or(0)) / 1024.0,
            said("uname", &["-r"])
        ),
        format!(
            "- one durable write of 8 KiB (`fdatasync`): {}",
            sync_time()
        ),
    ]
}

/// The load of the last minute, for telling a quiet machine from a busy one.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// First line that a program prints.
pub fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

fn sync_time() -> String {
    use std::io::{Seek, SeekFrom, Write};
    let measure = || -> std::io::Result<f64> {
        let mut file = tempfile::tempfile_in("/tmp")?;
        let mut times = Vec::new();
        for _ in 0..200 {
            let started = std::time::Instant::now();
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&[1; 8192])?;
            file.sync_data()?;
            times.push(started.elapsed().as_secs_f64());
        }
        Ok(crate::measure::median(&times).unwrap_or(0.0))
    };
    measure().map_or_else(
        |error| error.to_string(),
        |time| format!("{:.2} ms", time * 1000.0),
    )
}
