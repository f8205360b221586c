//! Frames on a stream: four bytes of length, then the frame.

use std::io;
use std::marker::PhantomData;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};

use super::Exchange;
use super::frame::{Answer, Frame, FrameError};

/// What is reserved for a frame before its first byte has arrived, at most.
const FIRST_RESERVATION: usize = 64 * 1024;

/// Reads and writes the frames of a protocol.
#[derive(Debug)]
pub(crate) struct FrameCodec<E>(PhantomData<E>);

impl<E> FrameCodec<E> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Clone for FrameCodec<E> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<E: Exchange> request_response::Codec for FrameCodec<E> {
    type Protocol = StreamProtocol;
    type Request = E::Request;
    type Response = Answer<E::Response>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, stream: &mut T) -> io::Result<E::Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_frame(stream, E::MAX_REQUEST_SIZE).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, stream: &mut T) -> io::Result<Answer<E::Response>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_frame(stream, Answer::<E::Response>::OVERHEAD + E::MAX_RESPONSE_SIZE).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, stream: &mut T, request: E::Request) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        stream.write_all(&framed(request, E::MAX_REQUEST_SIZE)?).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        stream: &mut T,
        response: Answer<E::Response>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let limit = Answer::<E::Response>::OVERHEAD + E::MAX_RESPONSE_SIZE;
        stream.write_all(&framed(response, limit)?).await
    }
}

/// Reads a frame of at most `limit` bytes.
///
/// # Errors
///
/// Of the kind `InvalidData` around a [`FrameError`] when the peer does not speak the protocol; of any other when the stream
/// failed or ended.
pub(super) async fn read_frame<F: Frame>(stream: &mut (impl AsyncRead + Unpin), limit: usize) -> io::Result<F> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = u32::from_le_bytes(length);
    let expected = usize::try_from(length).unwrap_or(usize::MAX);
    if expected > limit {
        return Err(invalid(FrameError::TooLong { got: expected, limit }));
    }
    let mut bytes = Vec::with_capacity(expected.min(FIRST_RESERVATION));
    stream.take(u64::from(length)).read_to_end(&mut bytes).await?;
    if bytes.len() < expected {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    F::decode(&bytes).map_err(invalid)
}

/// A frame of at most `limit` bytes, behind its length. The value is gone before anything waits for a slow peer.
///
/// # Errors
///
/// Of the kind `InvalidInput` when the frame is longer, so that the peer does not take us for an attacker.
pub(super) fn framed(frame: impl Frame, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    frame.encode(&mut bytes);
    let got = bytes.len() - 4;
    let too_long = || io::Error::new(io::ErrorKind::InvalidInput, FrameError::TooLong { got, limit });
    let length = u32::try_from(got).ok().filter(|_| got <= limit).ok_or_else(too_long)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

fn invalid(error: FrameError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The fault behind an error of [`read_frame`], if it is the peer's.
pub(crate) fn frame_error(error: &io::Error) -> Option<&FrameError> {
    if error.kind() != io::ErrorKind::InvalidData {
        return None;
    }
    error.get_ref()?.downcast_ref()
}
