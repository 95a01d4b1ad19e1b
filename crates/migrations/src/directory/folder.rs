//! A directory as layouts see it: names first, texts when asked for.

use std::ffi::OsStr;
use std::fs::{self, FileType};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use super::digest::{FileReader, Hashers};
use super::error::DirectoryError;
use super::layout::Layout;
use super::script::{Edit, Part, Script};
use crate::history::Direction;

/// Endings that editors and merge tools give to copies.
const BACKUP_ENDINGS: [&str; 8] = ["~", "#", ".bak", ".orig", ".rej", ".swp", ".tmp", ".save"];

/// Levels of directories below the one given: more are a loop of links, or an accident.
const MAXIMUM_DEPTH: usize = 32;

/// Files for which it pays to start a thread: a few milliseconds of reading.
const FILES_PER_THREAD: usize = 250;

/// Threads that read at once: more wait for the same disk.
const MAXIMUM_THREADS: usize = 4;

/// A directory of migrations that is being read. A pipe in it is not read: it could be waited for without end.
pub(super) struct Folder {
    root: PathBuf,
    files: Vec<String>,
    folders: Vec<String>,
    others: Vec<String>,
    /// All files below, once somebody has asked for them.
    tree: Option<Vec<String>>,
    /// The start of the first `.sql` file, once somebody has asked for it.
    sample: Option<Arc<str>>,
    reader: FileReader,
}

impl Folder {
    /// Lists a directory. Hidden files (also the `..data` of a mounted ConfigMap) and copies of editors are left out;
    /// links are followed.
    pub fn open(root: &Path) -> Result<Self, DirectoryError> {
        let listed = list(root).map_err(|error| match error {
            DirectoryError::Io { path, source, .. } if path == root => match source.kind() {
                io::ErrorKind::NotFound => DirectoryError::Missing { path },
                io::ErrorKind::NotADirectory => DirectoryError::NotADirectory { path },
                _ => DirectoryError::io("read the directory", path)(source),
            },
            error => error,
        })?;
        Ok(Self {
            root: root.to_owned(),
            files: listed.files,
            folders: listed.folders,
            others: listed.others,
            tree: None,
            sample: None,
            reader: FileReader::new(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Names of the files directly in it, sorted by bytes.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Whether a file of this name is directly in it.
    pub fn has(&self, name: &str) -> bool {
        self.files
            .binary_search_by(|file| file.as_str().cmp(name))
            .is_ok()
    }

    /// Names of the directories directly in it, sorted by bytes.
    pub fn folders(&self) -> &[String] {
        &self.folders
    }

    /// Names of what is directly in it and neither file nor directory, such as a pipe, sorted by bytes.
    pub fn others(&self) -> &[String] {
        &self.others
    }

    /// All files in it and below, as paths from here with `/` between names, sorted by bytes.
    pub fn tree(&mut self) -> Result<Vec<String>, DirectoryError> {
        if let Some(tree) = &self.tree {
            return Ok(tree.clone());
        }
        let mut tree = self.files.clone();
        let mut waiting: Vec<(String, usize)> =
            self.folders.iter().map(|name| (name.clone(), 1)).collect();
        while let Some((folder, depth)) = waiting.pop() {
            if depth > MAXIMUM_DEPTH {
                return Err(DirectoryError::Io {
                    action: "go deeper than 32 levels into",
                    path: self.root.join(folder),
                    source: io::Error::other("there may be a link that leads back"),
                });
            }
            let listed = list(&self.root.join(&folder))?;
            let files = listed.files.into_iter();
            tree.extend(files.map(|file| format!("{folder}/{file}")));
            let below = listed.folders.into_iter();
            waiting.extend(below.map(|name| (format!("{folder}/{name}"), depth + 1)));
        }
        tree.sort_unstable();
        self.tree = Some(tree.clone());
        Ok(tree)
    }

    /// The whole text of a file.
    ///
    /// # Errors
    /// When it cannot be read or is not UTF-8.
    pub fn text(&mut self, name: &str) -> Result<FileText, DirectoryError> {
        let path = self.root.join(name);
        let text = self.reader.text(&path)?;
        Ok(FileText {
            path,
            name: name.to_owned(),
            file_bytes: text.len() as u64,
            text,
        })
    }

    /// The start of the first `.sql` file, up to 256 KiB, for telling layouts apart. Empty without such a file.
    pub fn sample(&mut self) -> Result<Arc<str>, DirectoryError> {
        if let Some(sample) = &self.sample {
            return Ok(Arc::clone(sample));
        }
        let first = self.files.iter().find(|name| name.ends_with(".sql"));
        let sample: Arc<str> = match first {
            Some(name) => self.reader.start(&self.root.join(name))?.into(),
            None => Arc::default(),
        };
        self.sample = Some(Arc::clone(&sample));
        Ok(sample)
    }

    /// The same as [`Folder::whole`] for many files, several at once, in their order. With `own`, a directive of
    /// another layout in the first 256 KiB of one is an error.
    ///
    /// # Errors
    /// Of the first file that has one.
    pub fn wholes(
        &mut self,
        names: &[(&str, Direction)],
        own: Option<Layout>,
    ) -> Result<Vec<Script>, DirectoryError> {
        let root = &self.root;
        let read = |reader: &mut FileReader, names: &[(&str, Direction)]| {
            let scripts = names.iter().map(|(name, direction)| match own {
                Some(own) => whole_unmarked(reader, root, name, *direction, own),
                None => whole_seen(reader, root, name, *direction, |_| ()),
            });
            scripts.collect::<Result<Vec<Script>, DirectoryError>>()
        };
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let threads = (names.len() / FILES_PER_THREAD).clamp(1, processors.min(MAXIMUM_THREADS));
        let mut shares = names.chunks(names.len().div_ceil(threads).max(1));
        let own_share = shares.next().unwrap_or_default();
        thread::scope(|scope| {
            let others: Vec<_> = shares
                .map(|share| scope.spawn(move || read(&mut FileReader::new(), share)))
                .collect();
            let mut scripts = read(&mut self.reader, own_share)?;
            for other in others {
                match other.join() {
                    Ok(more) => scripts.extend(more?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(scripts)
        })
    }

    /// The same as [`Folder::whole`].
    ///
    /// # Errors
    /// Also when there is a directive of another layout than `own` in its first 256 KiB.
    pub fn whole_unmarked(
        &mut self,
        name: &str,
        direction: Direction,
        own: Layout,
    ) -> Result<Script, DirectoryError> {
        whole_unmarked(&mut self.reader, &self.root, name, direction, own)
    }

    /// A script that is a whole file and native text. It is read once and not kept, however long it is.
    pub fn whole(&mut self, name: &str, direction: Direction) -> Result<Script, DirectoryError> {
        self.whole_seen(name, direction, |_| ())
    }

    /// The same as [`Folder::whole`]. `look` sees the text in pieces, the first one with the byte order mark.
    pub fn whole_seen(
        &mut self,
        name: &str,
        direction: Direction,
        look: impl FnMut(&str),
    ) -> Result<Script, DirectoryError> {
        whole_seen(&mut self.reader, &self.root, name, direction, look)
    }
}

fn whole_unmarked(
    reader: &mut FileReader,
    root: &Path,
    name: &str,
    direction: Direction,
    own: Layout,
) -> Result<Script, DirectoryError> {
    let mut foreign = None;
    let mut first = true;
    let script = whole_seen(reader, root, name, direction, |piece| {
        if std::mem::take(&mut first) {
            foreign = own.foreign_marker(piece);
        }
    })?;
    match foreign {
        None => Ok(script),
        Some((found, line)) => Err(DirectoryError::ForeignDirective {
            path: script.path,
            line,
            found: found.name(),
            layout: own.name(),
        }),
    }
}

fn whole_seen(
    reader: &mut FileReader,
    root: &Path,
    name: &str,
    direction: Direction,
    look: impl FnMut(&str),
) -> Result<Script, DirectoryError> {
    let path = root.join(name);
    let digest = reader.digest(&path, look)?;
    let digests = (digest.normalized, digest.raw);
    Ok(Script::new(path, name, direction, digest.bytes, digests))
}

/// The text of one file.
pub(super) struct FileText {
    path: PathBuf,
    name: String,
    file_bytes: u64,
    text: String,
}

impl FileText {
    /// What it says, without a byte order mark. Line ends are as in the file.
    pub fn text(&self) -> &str {
        self.text.strip_prefix('\u{feff}').unwrap_or(&self.text)
    }

    /// The same with the byte order mark.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The script that is the whole file, native text as it stands.
    pub fn whole(&self, direction: Direction) -> Script {
        let mut hashers = Hashers::default();
        hashers.update(self.text.as_bytes());
        self.script(direction, self.file_bytes, hashers)
    }

    /// The script that is made of these parts of [`FileText::text`] (byte ranges, in order), with `edits` (in order,
    /// inside of them) carried out. Its digests are those of the parts before the edits.
    pub fn part(&self, direction: Direction, keep: Vec<Range<usize>>, edits: Vec<Edit>) -> Script {
        let mut hashers = Hashers::default();
        for range in &keep {
            let kept = self.text().get(range.clone()).unwrap_or_default();
            hashers.update(kept.as_bytes());
        }
        let part = Part {
            file_bytes: self.file_bytes,
            keep,
            edits,
        };
        let script = self.script(direction, part.bytes(), hashers);
        Script {
            part: Some(Arc::new(part)),
            ..script
        }
    }

    fn script(&self, direction: Direction, bytes: u64, hashers: Hashers) -> Script {
        let digests = hashers.finish();
        Script::new(self.path.clone(), &self.name, direction, bytes, digests)
    }
}

/// What is directly in a directory, by what it is.
#[derive(Default)]
struct Listed {
    files: Vec<String>,
    folders: Vec<String>,
    others: Vec<String>,
}

/// Names, each kind sorted.
fn list(path: &Path) -> Result<Listed, DirectoryError> {
    let reading = |error| DirectoryError::io("read the directory", path)(error);
    let mut all = Listed::default();
    for entry in fs::read_dir(path).map_err(reading)? {
        let entry = entry.map_err(reading)?;
        let name = entry.file_name();
        if !is_of_interest(&name) {
            continue;
        }
        // The entry knows its type without another call to the system; only a link has to be followed.
        let mut file_type = entry
            .file_type()
            .map_err(DirectoryError::io("read the type of", entry.path()))?;
        let link = file_type.is_symlink();
        if link {
            file_type = follow(&entry.path())?;
        }
        if !file_type.is_file() && name.as_encoded_bytes().ends_with(b".sql") {
            let what = what(file_type, link);
            let path = entry.path();
            return Err(DirectoryError::NotAFile { path, what });
        }
        let listed = if file_type.is_dir() {
            &mut all.folders
        } else if file_type.is_file() {
            &mut all.files
        } else {
            &mut all.others
        };
        match name.into_string() {
            Ok(name) => listed.push(name),
            // A name that is not text can be no migration of any layout.
            Err(name) if name.as_encoded_bytes().ends_with(b".sql") => {
                return Err(DirectoryError::FileName {
                    path: path.to_owned(),
                    files: vec![name.to_string_lossy().into_owned()],
                    expected: "with UTF-8 names".to_owned(),
                });
            }
            Err(_) => {}
        }
    }
    for names in [&mut all.files, &mut all.folders, &mut all.others] {
        names.sort_unstable();
    }
    Ok(all)
}

/// The type of what a link leads to.
fn follow(link: &Path) -> Result<FileType, DirectoryError> {
    match fs::metadata(link) {
        Ok(found) => Ok(found.file_type()),
        // It has not gone meanwhile: it is there and leads nowhere.
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_link(link) {
            Ok(target) => Err(DirectoryError::DanglingLink {
                path: link.to_owned(),
                target,
            }),
            Err(error) => Err(DirectoryError::io("follow the link", link)(error)),
        },
        Err(error) => Err(DirectoryError::io("follow the link", link)(error)),
    }
}

/// What is neither a file nor leads to one, in words.
fn what(file_type: FileType, link: bool) -> &'static str {
    let kind = if file_type.is_dir() {
        "a directory"
    } else if file_type.is_fifo() {
        "a pipe"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    match (link, kind) {
        (true, "a directory") => "a link to a directory",
        (true, _) => "a link to something that is no file",
        (false, kind) => kind,
    }
}

fn is_of_interest(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    let backup = |ending: &str| bytes.ends_with(ending.as_bytes());
    !bytes.starts_with(b".") && !BACKUP_ENDINGS.into_iter().any(backup)
}
