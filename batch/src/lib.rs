//! Contract packs compiled to column kernels, and histories of millions of tickets assessed by them.
