//! wasmtime, set up so that a component can compute and nothing else.

use std::sync::mpsc;
use std::time::Duration;

use wasmtime::{
    Collector, Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
};

use crate::Limits;

/// An epoch. A component's time is counted in whole ones, so that it may run up to one longer than its limit.
const TICK: Duration = Duration::from_millis(10);

/// Memories larger than this are never allowed, whatever the operator sets: compiled code relies on it.
pub(crate) const MEMORY_CEILING: usize = 64 << 20;

/// What kind of engine. Compiled code fits one kind only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Counts instructions instead of time, so that a run is the same everywhere.
    pub(crate) fuel: bool,
}

/// The settings that shape compiled code: equal in the process that compiles and in the one that runs.
fn config(kind: Kind, stack: usize) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .consume_fuel(kind.fuel)
        .epoch_interruption(!kind.fuel)
        .max_wasm_stack(stack)
        .coredump_on_trap(false)
        // One reservation for pool and fall-back, so that code compiled for one runs in the other.
        .memory_reservation(MEMORY_CEILING as u64)
        .memory_guard_size(64 << 10)
        .memory_may_move(false)
        // Off: what no channel needs. Fewer parts, fewer faults.
        .concurrency_support(false)
        .wasm_component_model_async(false)
        .wasm_threads(false)
        .shared_memory(false)
        .wasm_shared_everything_threads(false)
        .wasm_stack_switching(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .relaxed_simd_deterministic(true)
        .wasm_tail_call(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .collector(Collector::Null);
    config
}

/// An engine that compiles and runs nothing. One thread: the process it is in has little room.
pub(crate) fn compiling(kind: Kind) -> wasmtime::Result<Engine> {
    let mut config = config(kind, Limits::default().stack);
    config.parallel_compilation(false);
    Engine::new(&config)
}

/// An engine that runs, with a pool of instances if the machine has the address space for one; says whether it has.
pub(crate) fn running(kind: Kind, limits: &Limits, instances: u32) -> wasmtime::Result<(Engine, bool)> {
    let mut pooled = config(kind, limits.stack);
    let per = u32::try_from(limits.instances).unwrap_or(u32::MAX).min(64);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(per))
        .total_memories(instances.saturating_mul(2))
        .total_tables(instances.saturating_mul(per))
        .total_stacks(0)
        .total_gc_heaps(0)
        .max_memory_size(MEMORY_CEILING)
        .table_elements(limits.table_elements)
        .max_memories_per_component(per)
        .max_tables_per_component(per)
        .max_core_instances_per_component(per)
        .max_unused_warm_slots(instances)
        .linear_memory_keep_resident(64 << 10)
        .table_keep_resident(4 << 10);
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    if let Ok(engine) = Engine::new(&pooled) {
        return Ok((engine, true));
    }
    let mut plain = config(kind, limits.stack);
    plain.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Ok((Engine::new(&plain)?, false))
}

/// Moves an engine's epoch on at a steady pace until it is dropped. A component's deadline is so many epochs after its
/// call began: no component's time depends on another's.
pub(super) struct Ticker {
    /// Dropped, it ends the thread.
    _stop: mpsc::Sender<()>,
}

impl Ticker {
    pub(super) fn start(engine: &Engine) -> std::io::Result<Ticker> {
        let engine = engine.weak();
        let (stop, stopped) = mpsc::channel();
        let tick = move || {
            while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(TICK) {
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        };
        std::thread::Builder::new().name("holdback-epoch".to_owned()).stack_size(256 << 10).spawn(tick)?;
        Ok(Ticker { _stop: stop })
    }
}

/// How many epochs a call has.
pub(super) fn epochs(time: Duration) -> u64 {
    let ticks = time.as_micros().div_ceil(TICK.as_micros().max(1));
    u64::try_from(ticks).unwrap_or(u64::MAX).saturating_add(1)
}

/// Engines that share compiled code have the same hash.
pub(crate) fn hash(engine: &Engine) -> String {
    use std::hash::{Hash, Hasher};
    // Stable for one build of the program, which is all that a cache needs: another build compiles anew.
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
