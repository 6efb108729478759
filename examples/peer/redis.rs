//! The part of Redis' protocol that jobs need.

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;

use crate::Error;

pub(crate) struct Connection(BufStream<TcpStream>);

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self, Error> {
        Ok(Self(BufStream::new(TcpStream::connect(address).await?)))
    }

    /// An answer of Redis: one or several strings.
    pub(crate) async fn command(&mut self, words: &[&str]) -> Result<Vec<String>, Error> {
        let mut command = format!("*{}\r\n", words.len());
        for word in words {
            command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.0.write_all(command.as_bytes()).await?;
        self.0.flush().await?;

        let mut answers = Vec::new();
        let mut awaited = 1_usize;
        while awaited > 0 {
            awaited -= 1;
            let mut line = String::new();
            self.0.read_line(&mut line).await?;
            let line = line.trim_end();
            match line.split_at_checked(1) {
                Some(("*", count)) => awaited += count.parse::<usize>().unwrap_or(0),
                Some(("$", "-1")) => {}
                Some(("$", bytes)) => {
                    let mut text = vec![0; bytes.parse::<usize>()? + 2];
                    self.0.read_exact(&mut text).await?;
                    text.truncate(text.len() - 2);
                    answers.push(String::from_utf8(text)?);
                }
                Some(("+" | ":", word)) => answers.push(word.to_owned()),
                _ => return Err(format!("{:?} is refused by Redis: {line}", words.first()).into()),
            }
        }
        Ok(answers)
    }
}
