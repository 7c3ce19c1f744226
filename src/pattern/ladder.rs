//! Operator precedence without recursion: operands climb a ladder with a rung for each operator.

use std::mem;

use crate::span::Span;

/// Operands that wait for the rest of their expression; rung 0 binds loosest.
///
/// It replaces one function per level of precedence. A run of operands under one operator becomes one node, however
/// long it is, and the parser recurses only into parentheses.
pub(super) struct Ladder<T, const RUNGS: usize> {
    rungs: [Rung<T>; RUNGS],
}

struct Rung<T> {
    /// Where the first operand starts.
    start: usize,
    operands: Vec<T>,
}

impl<T, const RUNGS: usize> Ladder<T, RUNGS> {
    /// A ladder without operands; it allocates nothing.
    pub fn new() -> Self {
        Self { rungs: [const { Rung { start: 0, operands: Vec::new() } }; RUNGS] }
    }

    /// Whether no operand waits.
    pub fn is_empty(&self) -> bool {
        self.rungs.iter().all(|rung| rung.operands.is_empty())
    }

    /// Puts `operand`, which reaches from `start` to `end` with its parentheses, on the ladder. `operator` is the rung
    /// of the operator behind it; without one the expression is complete and comes back.
    pub fn climb(
        &mut self,
        mut operand: T,
        mut start: usize,
        end: usize,
        operator: Option<usize>,
        combine: impl Fn(usize, Vec<T>, Span) -> T,
    ) -> Option<T> {
        for (index, rung) in self.rungs.iter_mut().enumerate().rev() {
            if operator == Some(index) {
                if rung.operands.is_empty() {
                    rung.start = start;
                }
                rung.operands.push(operand);
                return None;
            }
            if !rung.operands.is_empty() {
                rung.operands.push(operand);
                start = rung.start;
                operand = combine(index, mem::take(&mut rung.operands), Span::new(start, end));
            }
        }
        Some(operand)
    }
}
