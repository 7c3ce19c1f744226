//! Precedence climbing without recursion: operands wait at the level of the operator behind them.

use std::mem;

use crate::span::Span;

/// The operands that wait for the rest of their expression; level 0 binds loosest.
///
/// It replaces one function per level of precedence. A run of operands under one operator becomes one node, however
/// long it is, and the parser recurses only into parentheses.
pub(super) struct Precedence<T, const LEVELS: usize> {
    levels: [Level<T>; LEVELS],
}

struct Level<T> {
    /// Where the first operand starts.
    start: usize,
    operands: Vec<T>,
}

impl<T, const LEVELS: usize> Precedence<T, LEVELS> {
    /// No operands yet; allocates nothing.
    pub fn new() -> Self {
        Self { levels: [const { Level { start: 0, operands: Vec::new() } }; LEVELS] }
    }

    /// Whether no operand waits.
    pub fn is_empty(&self) -> bool {
        self.levels.iter().all(|level| level.operands.is_empty())
    }

    /// Adds `operand`, which reaches from `start` to `end` with its parentheses. `operator` is the level of the operator
    /// behind it; without one the expression is complete and is returned.
    pub fn push(
        &mut self,
        mut operand: T,
        mut start: usize,
        end: usize,
        operator: Option<usize>,
        combine: impl Fn(usize, Vec<T>, Span) -> T,
    ) -> Option<T> {
        for (index, level) in self.levels.iter_mut().enumerate().rev() {
            if operator == Some(index) {
                if level.operands.is_empty() {
                    level.start = start;
                }
                level.operands.push(operand);
                return None;
            }
            if !level.operands.is_empty() {
                level.operands.push(operand);
                start = level.start;
                operand = combine(index, mem::take(&mut level.operands), Span::new(start, end));
            }
        }
        Some(operand)
    }
}
