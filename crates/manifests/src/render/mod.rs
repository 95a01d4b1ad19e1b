//! Values into Kubernetes objects.
