//! Starting a program with sockets at fixed descriptors, as a supervisor does.

use std::env;
use std::ffi::{CString, OsStr, OsString, c_char};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::ptr;

use rustix::fs::{Access, access};

use super::placed::Copies;

/// Spawns the command with the sockets at descriptors 3, 4 and so on, and with `LISTEN_FDS`, `LISTEN_FDNAMES` and
/// `LISTEN_PID` set for it. Whatever else was in its environment stays; only a cleared environment is not seen.
pub(crate) fn spawn(
    mut command: Command,
    sockets: &[BorrowedFd<'_>],
    names: &str,
) -> io::Result<Child> {
    let sockets = Copies::of(sockets)?;
    // The standard library reports a failed exec through a descriptor of its own, which must not be one of the wanted.
    let _occupied = sockets.occupy_wanted()?;
    let mut image = Image::new(&command, sockets, names)?;
    // SAFETY: between fork and exec the closure only makes system calls and writes into memory that was allocated before
    // the fork: it takes no lock, and allocates and frees nothing.
    unsafe { command.pre_exec(move || Err(image.replace_process())) };
    command.spawn()
}

/// Everything that the new program is made of, ready before the fork.
struct Image {
    program: CString,
    arguments: Strings,
    environment: Strings,
    sockets: Copies,
}

const PID: &[u8] = b"LISTEN_PID=";

impl Image {
    fn new(command: &Command, sockets: Copies, names: &str) -> io::Result<Self> {
        let mut arguments = vec![command.get_program().to_owned()];
        arguments.extend(command.get_args().map(OsStr::to_owned));
        // The process's number follows in the child, where it is known; at most ten digits and the NUL.
        let mut environment = vec![OsString::from_vec([PID, &[b'0'; 10]].concat())];
        environment.push(format!("LISTEN_FDS={}", sockets.len()).into());
        environment.push(format!("LISTEN_FDNAMES={names}").into());
        environment.extend(variables(command).into_iter().map(|(name, value)| {
            let mut variable = name;
            variable.push("=");
            variable.push(value);
            variable
        }));
        Ok(Self {
            program: CString::new(find(command)?.into_os_string().into_vec())?,
            arguments: Strings::new(arguments)?,
            environment: Strings::new(environment)?,
            sockets,
        })
    }

    /// Only returns when it fails. Runs between fork and exec.
    fn replace_process(&mut self) -> io::Error {
        // SAFETY: this process is about to be replaced and runs nothing but this function, so that nobody is left to miss
        // what was there.
        if let Err(error) = unsafe { self.sockets.place() } {
            return error.into();
        }
        self.write_pid();
        // SAFETY: the program is a C string, and both arrays are C strings with a null pointer at their end (see
        // `Strings`); all of it is alive.
        unsafe {
            libc::execve(self.program.as_ptr(), self.arguments.as_ptr(), self.environment.as_ptr());
        }
        io::Error::last_os_error()
    }

    /// Writes this process's number over the digits of the first variable.
    fn write_pid(&mut self) {
        let mut pid = std::process::id();
        let mut digits = [0_u8; 10];
        let mut first = digits.len();
        while pid > 0 && first > 0 {
            first -= 1;
            digits[first] = b'0' + (pid % 10) as u8;
            pid /= 10;
        }
        let number = digits.get(first..).unwrap_or_default();
        self.environment.overwrite_first(PID.len(), number);
    }
}

/// C strings, and the array of pointers to them that ends with a null pointer.
struct Strings {
    texts: Vec<Vec<u8>>,
    pointers: Vec<*mut c_char>,
}

// SAFETY: the pointers lead into the texts next to them, which are on the heap and go along; nobody else has them.
unsafe impl Send for Strings {}
// SAFETY: see above; a shared reference lets nobody write.
unsafe impl Sync for Strings {}

impl Strings {
    fn new(texts: Vec<OsString>) -> io::Result<Self> {
        let texts = texts.into_iter().map(|text| CString::new(text.into_vec()));
        let mut texts: Vec<Vec<u8>> =
            texts.map(|text| text.map(CString::into_bytes_with_nul)).collect::<Result<_, _>>()?;
        let mut pointers: Vec<*mut c_char> =
            texts.iter_mut().map(|text| text.as_mut_ptr().cast()).collect();
        pointers.push(ptr::null_mut());
        Ok(Self { texts, pointers })
    }

    fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr().cast()
    }

    /// Writes bytes and a NUL into the first text, as far as there is room.
    fn overwrite_first(&mut self, at: usize, bytes: &[u8]) {
        let Some(text) = self.texts.first_mut() else {
            return;
        };
        let places = text.iter_mut().skip(at);
        for (place, byte) in places.zip(bytes.iter().chain(&[0])) {
            *place = *byte;
        }
        // The pointer is taken anew: writing through the text ended the old one's right to it.
        let pointer = text.as_mut_ptr().cast();
        if let Some(first) = self.pointers.first_mut() {
            *first = pointer;
        }
    }
}

/// The environment that the command would give, without what says which sockets were handed in to this process.
fn variables(command: &Command) -> Vec<(OsString, OsString)> {
    let changed: Vec<_> = command.get_envs().collect();
    let is_ours = |name: &OsStr| {
        let name = name.as_bytes();
        name == b"LISTEN_PID" || name == b"LISTEN_FDS" || name == b"LISTEN_FDNAMES"
    };
    let mut variables: Vec<_> = env::vars_os()
        .filter(|(name, _)| !changed.iter().any(|(other, _)| *other == name.as_os_str()))
        .collect();
    let set = changed.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    variables.extend(set.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables.retain(|(name, _)| !is_ours(name));
    variables
}

/// Where the program is: as it is written when there is a slash in it, in a folder of `PATH` otherwise.
fn find(command: &Command) -> io::Result<PathBuf> {
    let program = Path::new(command.get_program());
    if program.as_os_str().as_bytes().contains(&b'/') {
        return Ok(program.to_owned());
    }
    let path = env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file() && access(file, Access::EXEC_OK).is_ok())
        .ok_or_else(|| {
            let text = format!("no program `{}` in PATH", program.display());
            io::Error::new(io::ErrorKind::NotFound, text)
        })
}
