//! The values file.
