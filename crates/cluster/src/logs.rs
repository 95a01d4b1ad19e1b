//! Follows what containers write, until they have ended and everything is told, once.
//!
//! API servers and kubelets cut long streams, and a dead peer is not noticed by itself: a stream that ends or is silent
//! is opened again from the last time stamp, and what was told already is dropped. That a container has ended is known
//! from its pod, never from the end of a stream.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::io::{AsyncBufReadExt, AsyncRead, BufReader};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::LogParams;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::api::Cluster;
use crate::containers::workers;

/// A stream that is silent for this long is opened again.
const SILENCE: Duration = Duration::from_secs(60);
/// Pause before a stream is opened again.
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes of a line that are told.
const LINE: usize = 16 * 1024;
/// Time for what is left after the end of a container.
const REST: Duration = Duration::from_secs(5);

/// How the kubelet says that a container is gone.
pub(crate) const GONE: &str = "unable to retrieve container logs";

/// A line that a container wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub pod: String,
    pub container: String,
    pub line: String,
}

/// Followers of the containers of a Job.
pub(crate) struct Logs {
    cluster: Cluster,
    sender: mpsc::Sender<LogLine>,
    receiver: mpsc::Receiver<LogLine>,
    followers: BTreeMap<(String, String), Follower>,
}

struct Follower {
    ended: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Logs {
    pub fn new(cluster: &Cluster) -> Self {
        let (sender, receiver) = mpsc::channel(1000);
        Self {
            cluster: cluster.clone(),
            sender,
            receiver,
            followers: BTreeMap::new(),
        }
    }

    /// Begins to follow what has begun, and lets those end whose container has ended.
    pub fn update(&mut self, pods: &[Pod]) {
        for pod in pods {
            let (Some(uid), Some(name)) = (&pod.metadata.uid, &pod.metadata.name) else {
                continue;
            };
            for status in worth_telling(pod) {
                let state = status.state.as_ref();
                let running = state.is_some_and(|state| state.running.is_some());
                let ended = state.is_some_and(|state| state.terminated.is_some());
                if !running && !ended {
                    continue;
                }
                let key = (uid.clone(), status.name.clone());
                let follower = self.followers.entry(key).or_insert_with(|| {
                    let (ended, is_ended) = watch::channel(false);
                    let task = follow(
                        self.cluster.clone(),
                        name.clone(),
                        status.name.clone(),
                        self.sender.clone(),
                        is_ended,
                    );
                    Follower {
                        ended,
                        task: tokio::spawn(task),
                    }
                });
                if ended {
                    follower.ended.send_replace(true);
                }
            }
        }
    }

    /// The next line. Never ends.
    pub async fn next(&mut self) -> LogLine {
        match self.receiver.recv().await {
            Some(line) => line,
            // We hold a sender ourselves.
            None => std::future::pending().await,
        }
    }

    /// What is left of containers that have ended; a pod that is gone has nothing more.
    pub async fn rest(&mut self) -> Vec<LogLine> {
        let mut lines = Vec::new();
        for follower in self.followers.values() {
            follower.ended.send_replace(true);
        }
        let _ = timeout(REST, async {
            loop {
                while let Ok(line) = self.receiver.try_recv() {
                    lines.push(line);
                }
                if self
                    .followers
                    .values()
                    .all(|follower| follower.task.is_finished())
                {
                    break;
                }
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        while let Ok(line) = self.receiver.try_recv() {
            lines.push(line);
        }
        lines
    }
}

/// Containers that do the work, and not the one that only copies our binary.
fn worth_telling(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    workers(pod).filter(|status| status.name != "forerun")
}

async fn follow(
    cluster: Cluster,
    pod: String,
    container: String,
    sender: mpsc::Sender<LogLine>,
    mut ended: watch::Receiver<bool>,
) {
    let mut told = Told::default();
    loop {
        // What is known before the stream is opened decides: what was written until then is in it.
        let last_time = *ended.borrow_and_update();
        let parameters = LogParams {
            container: Some(container.clone()),
            follow: !last_time,
            timestamps: true,
            since_time: told.last,
            ..LogParams::default()
        };
        if let Ok(stream) = cluster.log(&pod, &parameters).await {
            told.reopened();
            let mut lines = BufReader::new(stream);
            while let Ok(Ok(Some(line))) = timeout(SILENCE, next_line(&mut lines)).await {
                let Some(line) = told.unheard(&line) else {
                    continue;
                };
                let line = LogLine {
                    pod: pod.clone(),
                    container: container.clone(),
                    line,
                };
                if sender.send(line).await.is_err() {
                    return;
                }
            }
        }
        if last_time {
            return;
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            _ = ended.changed() => {}
        }
    }
}

/// A line without its end; `None` at the end of the stream. Of an endless one the beginning is taken.
async fn next_line<R: AsyncRead + Unpin>(
    reader: &mut BufReader<R>,
) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            // A line that was cut in the middle comes again.
            return Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned()));
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = available
            .get(..end.unwrap_or(available.len()))
            .unwrap_or_default();
        let room = LINE.saturating_sub(line.len());
        line.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
        let used = end.map_or(available.len(), |end| end + 1);
        reader.consume_unpin(used);
        if end.is_some() {
            return Ok(Some(
                String::from_utf8_lossy(&line)
                    .trim_end_matches('\r')
                    .to_owned(),
            ));
        }
    }
}

/// What was told already. Within one stream everything is new, also a time stamp that is a little older than the one
/// before it: two writers share the log.
#[derive(Default)]
struct Told {
    last: Option<Timestamp>,
    /// Lines told at that time.
    at_last: usize,
    /// A stream that was opened again repeats everything before this time, and so many lines at it.
    repeats: Option<(Timestamp, usize)>,
}

impl Told {
    /// A stream is opened again.
    fn reopened(&mut self) {
        self.repeats = self.last.map(|last| (last, self.at_last));
    }

    /// The text of a line that was not told before.
    fn unheard(&mut self, line: &str) -> Option<String> {
        let (time, text) = line.split_once(' ').unwrap_or((line, ""));
        let Ok(time) = time.parse::<Timestamp>() else {
            // A message of the kubelet itself has no time stamp. This one says that the container is gone.
            return (!line.starts_with(GONE)).then(|| line.to_owned());
        };
        match &mut self.repeats {
            Some((until, _)) if time < *until => return None,
            Some((until, lines)) if time == *until && *lines > 0 => {
                *lines -= 1;
                return None;
            }
            Some((until, _)) if time > *until => self.repeats = None,
            _ => {}
        }
        match self.last {
            Some(last) if time < last => {}
            Some(last) if time == last => self.at_last += 1,
            _ => (self.last, self.at_last) = (Some(time), 1),
        }
        Some(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(second: u32, nanosecond: u32, text: &str) -> String {
        format!("2026-11-21T10:00:{second:02}.{nanosecond:09}Z {text}")
    }

    #[test]
    fn a_stream_that_begins_again_repeats_nothing() {
        let first = [line(1, 0, "a"), line(2, 5, "b"), line(2, 5, "c")];
        // The API knows whole seconds only, so the second stream begins earlier than asked for.
        let second = [
            line(2, 5, "b"),
            line(2, 5, "c"),
            line(2, 5, "d"),
            line(3, 0, "e"),
        ];
        let mut told = Told::default();
        let mut texts: Vec<String> = first.iter().filter_map(|line| told.unheard(line)).collect();
        told.reopened();
        texts.extend(second.iter().filter_map(|line| told.unheard(line)));
        assert_eq!(texts, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn lines_of_the_kubelet_are_told_too() {
        let mut told = Told::default();
        let lost = "failed to watch file \"/var/log/pods/x\"";
        assert_eq!(told.unheard(lost).as_deref(), Some(lost));
        assert_eq!(
            told.unheard("unable to retrieve container logs for containerd://92da"),
            None
        );
        assert_eq!(told.unheard(&line(1, 0, "")), Some(String::new()));
    }

    #[tokio::test]
    async fn an_endless_line_is_cut_and_does_not_swallow_the_next() {
        let mut text = vec![b'x'; 3 * LINE];
        text.extend_from_slice(b"\nnext\r\nlast");
        let mut reader = BufReader::new(futures_util::io::Cursor::new(text));
        assert_eq!(next_line(&mut reader).await.unwrap().unwrap().len(), LINE);
        assert_eq!(
            next_line(&mut reader).await.unwrap().as_deref(),
            Some("next")
        );
        assert_eq!(
            next_line(&mut reader).await.unwrap().as_deref(),
            Some("last")
        );
        assert_eq!(next_line(&mut reader).await.unwrap(), None);
    }
}
