//! Connections as MISP writes them: an address beside a port in one pair of brackets, and an end under an address and a name
//! at once.

use super::{
    END_OF_CONNECTION, NAMED_TWICE, Oddities,
    spelling::{combined, property, test_of},
};
use crate::pattern::{
    BooleanOperator, Comparison, ComparisonExpression, ComparisonKind, ComparisonOperator, Literal, LiteralValue,
    ObjectPath, Operand,
};

const TRAFFIC: &str = "network-traffic";
/// The types of what a connection has at its ends.
const ENDS: [&str; 3] = ["ipv4-addr", "ipv6-addr", "domain-name"];

impl Oddities {
    /// Goes through what one observation has to satisfy.
    pub(super) fn connection(&mut self, expression: &mut ComparisonExpression<'_>) {
        match &mut expression.kind {
            ComparisonKind::Combined { operator: BooleanOperator::Or, operands } => {
                operands.iter_mut().for_each(|operand| self.connection(operand));
            }
            ComparisonKind::Combined { operator: BooleanOperator::And, .. } => {
                self.ends(expression);
                self.named_twice(expression);
            }
            ComparisonKind::Test(_) => {}
        }
    }

    /// An address or a name beside properties of a connection, under AND.
    fn ends(&mut self, expression: &mut ComparisonExpression<'_>) {
        let mut traffic = Vec::new();
        let (mut has_end, mut has_other) = (false, false);
        for_each(expression, &mut |test| match test.path.object_type {
            TRAFFIC => traffic.extend(test.path.steps.first().cloned()),
            _ if is_end(test) => has_end = true,
            _ => has_other = true,
        });
        if !has_end || has_other || traffic.is_empty() {
            return;
        }
        // Where nothing but the source is spoken of, it is the source.
        let of_source = |name: &str| traffic.iter().any(|step| step.is_property(name));
        let is_source = !of_source("dst_port")
            && !of_source("dst_ref")
            && of_source("src_port")
            && traffic.iter().all(|step| ["src_port", "protocols"].iter().any(|name| step.is_property(name)));
        // An end that is named already can't be named once more.
        let end = match (is_source, of_source("dst_ref"), of_source("src_ref")) {
            (true, _, false) | (false, true, false) => "src_ref",
            (false, false, _) => "dst_ref",
            _ => return,
        };
        self.rewrite(expression, end);
    }

    fn rewrite(&mut self, expression: &mut ComparisonExpression<'_>, end: &'static str) {
        if let ComparisonKind::Combined { operands, .. } = &mut expression.kind {
            operands.iter_mut().for_each(|operand| self.rewrite(operand, end));
            return;
        }
        let ComparisonKind::Test(test) = &expression.kind else { return };
        if !is_end(test) {
            return;
        }
        let kind = test.path.object_type;
        let wrong = format!("`{kind}` stands beside network traffic: no object is both");
        let taken_for = format!("read `{kind}:value` as an end of the connection");
        let help = format!("write `{TRAFFIC}:{end}.value`");
        if !self.report(END_OF_CONNECTION, test.path.span, &wrong, taken_for, help) {
            return;
        }
        let span = test.path.span;
        let path = |name| ObjectPath {
            object_type: TRAFFIC,
            steps: vec![property(end, span), property(name, span)],
            ..test.path.clone()
        };
        let value = Comparison { path: path("value"), ..test.clone() };
        let literal = Literal { value: LiteralValue::String(kind.into()), span };
        let guard = test_of(test, path("type"), ComparisonOperator::Equal, literal);
        let value = ComparisonExpression { kind: ComparisonKind::Test(value), span: expression.span };
        *expression = combined(BooleanOperator::And, vec![guard, value]);
    }

    /// Under AND: an end with an address and a name, a request with a path and a URL.
    fn named_twice(&mut self, expression: &mut ComparisonExpression<'_>) {
        let ComparisonKind::Combined { operator: BooleanOperator::And, operands } = &mut expression.kind else {
            return;
        };
        for end in ["dst_ref", "src_ref"] {
            let typed = |operand: &ComparisonExpression<'_>, kind: &str| {
                let mut found = false;
                for_each(operand, &mut |test| found |= asks(test, &[end, "type"], |text| text == kind));
                found
            };
            let is_address = |operand: &ComparisonExpression<'_>| typed(operand, ENDS[0]) || typed(operand, ENDS[1]);
            // Only where type and value stand in one group it is sure what belongs together.
            let is_group = |operand: &ComparisonExpression<'_>| is_end_group(operand, end);
            if operands.iter().any(|operand| is_group(operand) && is_address(operand)) {
                self.leave_out(operands, |operand| is_group(operand) && typed(operand, ENDS[2]), "the name of an end");
            }
        }
        let request = ["extensions", "http-request-ext", "request_value"];
        let is_request = |operand: &ComparisonExpression<'_>, is_url: bool| match &operand.kind {
            ComparisonKind::Test(test) => asks(test, &request, |text| text.contains("://") == is_url),
            ComparisonKind::Combined { .. } => false,
        };
        if operands.iter().any(|operand| is_request(operand, false)) {
            self.leave_out(operands, |operand| is_request(operand, true), "the URL of a request");
        }
        if let [_] = operands.as_slice()
            && let Some(only) = operands.pop()
        {
            *expression = only;
        }
    }

    fn leave_out<'a>(
        &mut self,
        operands: &mut Vec<ComparisonExpression<'a>>,
        is_second: impl Fn(&ComparisonExpression<'a>) -> bool,
        what: &str,
    ) {
        operands.retain(|operand| {
            if !is_second(operand) {
                return true;
            }
            let wrong = format!("{what} stands beside another name of the same: both never hold at once");
            let help = "write one of them".to_owned();
            !self.report(
                NAMED_TWICE,
                operand.span,
                &wrong,
                format!("{what} is left out: it has another name here"),
                help,
            )
        });
    }
}

/// Whether a comparison is about the value of an address or a name.
fn is_end(test: &Comparison<'_>) -> bool {
    let [only] = test.path.steps.as_slice() else { return false };
    ENDS.contains(&test.path.object_type) && only.is_property("value")
}

/// Whether an operand is about one end of a connection, its type and its value, and about nothing else.
fn is_end_group(operand: &ComparisonExpression<'_>, end: &str) -> bool {
    let ComparisonKind::Combined { operator: BooleanOperator::And, operands } = &operand.kind else { return false };
    operands.iter().all(|operand| match &operand.kind {
        ComparisonKind::Test(test) => test.path.steps.first().is_some_and(|step| step.is_property(end)),
        ComparisonKind::Combined { .. } => false,
    })
}

/// Whether a comparison asks a property of network traffic for a text.
fn asks(test: &Comparison<'_>, steps: &[&str], is_meant: impl Fn(&str) -> bool) -> bool {
    let is_path = test.path.steps.len() == steps.len()
        && test.path.steps.iter().zip(steps).all(|(step, name)| step.is_property(name));
    let text = match &test.operand {
        Operand::Literal(Literal { value: LiteralValue::String(text), .. }) => is_meant(text),
        _ => false,
    };
    test.path.object_type == TRAFFIC && is_path && text && !test.negated && test.operator == ComparisonOperator::Equal
}

/// Does something with each comparison.
fn for_each<'a>(expression: &ComparisonExpression<'a>, with: &mut impl FnMut(&Comparison<'a>)) {
    match &expression.kind {
        ComparisonKind::Test(test) => with(test),
        ComparisonKind::Combined { operands, .. } => operands.iter().for_each(|operand| for_each(operand, with)),
    }
}
