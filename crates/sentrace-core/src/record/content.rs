//! Which content of spans may be sent, by category (Sentry SDK specification, *Data Collection*).

use super::{Record, Slot};

/// Which content spans may have: what was asked, sent, found and generated, as opposed to how long it took.
///
/// Attributes of a category that is off are not sent, whatever has set them. All categories are on, as in Sentry's
/// JavaScript SDK 11: sentrace records none of this content itself, only what code and instrumentation set as attributes.
/// Values on the denylist are `[Filtered]` in any case.
///
/// | category | attributes |
/// |---|---|
/// | [`database_query_data`](Self::database_query_data) | `db.query.parameter.*` |
/// | [`queues`](Self::queues) | `messaging.kafka.message.key`, `messaging.bullmq.job.key` |
/// | [`graphql_document`](Self::graphql_document) | `graphql.document` |
/// | [`graphql_variables`](Self::graphql_variables) | `graphql.variables`, `graphql.variable.*` |
/// | [`gen_ai_inputs`](Self::gen_ai_inputs) | `gen_ai.input.messages`, `gen_ai.system_instructions`, `gen_ai.embeddings.input`, `gen_ai.tool.call.arguments`, `gen_ai.tool.definitions`, `gen_ai.prompt.variable.*` |
/// | [`gen_ai_outputs`](Self::gen_ai_outputs) | `gen_ai.output.messages`, `gen_ai.tool.call.result` |
/// | [`mcp_inputs`](Self::mcp_inputs) | `mcp.request.argument.*`, and `gen_ai.tool.call.arguments` of `mcp.*` spans |
/// | [`mcp_outputs`](Self::mcp_outputs) | `mcp.prompt.result.*`, `mcp.tool.result.*`, and `gen_ai.tool.call.result` of `mcp.*` spans |
///
/// Not gated: `db.query.text`, whose literals are removed, and names, sizes and counts.
///
/// ```
/// use sentrace_core::{ContentCollection, Options};
///
/// let options = Options::new().content_collection(ContentCollection::new().gen_ai_inputs(false).gen_ai_outputs(false));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentCollection {
    /// One bit for each category that is off.
    off: u8,
}

const DATABASE: u8 = 1;
const QUEUES: u8 = 1 << 1;
const GRAPHQL_DOCUMENT: u8 = 1 << 2;
const GRAPHQL_VARIABLES: u8 = 1 << 3;
const GEN_AI_INPUTS: u8 = 1 << 4;
const GEN_AI_OUTPUTS: u8 = 1 << 5;
const MCP_INPUTS: u8 = 1 << 6;
const MCP_OUTPUTS: u8 = 1 << 7;

impl Default for ContentCollection {
    fn default() -> Self {
        Self::new()
    }
}

impl ContentCollection {
    /// All categories are on.
    pub const fn new() -> Self {
        Self { off: 0 }
    }

    /// Sets whether bound parameters of database queries are sent.
    #[must_use]
    pub const fn database_query_data(self, collect: bool) -> Self {
        self.with(DATABASE, collect)
    }

    /// Sets whether keys of messages are sent.
    #[must_use]
    pub const fn queues(self, collect: bool) -> Self {
        self.with(QUEUES, collect)
    }

    /// Sets whether GraphQL documents are sent.
    #[must_use]
    pub const fn graphql_document(self, collect: bool) -> Self {
        self.with(GRAPHQL_DOCUMENT, collect)
    }

    /// Sets whether variables of GraphQL operations are sent.
    #[must_use]
    pub const fn graphql_variables(self, collect: bool) -> Self {
        self.with(GRAPHQL_VARIABLES, collect)
    }

    /// Sets whether prompts, and arguments of tools, are sent. MCP follows unless it is set afterwards.
    #[must_use]
    pub const fn gen_ai_inputs(self, collect: bool) -> Self {
        self.with(GEN_AI_INPUTS | MCP_INPUTS, collect)
    }

    /// Sets whether answers of models, and results of tools, are sent. MCP follows unless it is set afterwards.
    #[must_use]
    pub const fn gen_ai_outputs(self, collect: bool) -> Self {
        self.with(GEN_AI_OUTPUTS | MCP_OUTPUTS, collect)
    }

    /// Sets whether arguments of MCP requests are sent.
    #[must_use]
    pub const fn mcp_inputs(self, collect: bool) -> Self {
        self.with(MCP_INPUTS, collect)
    }

    /// Sets whether results of MCP requests are sent.
    #[must_use]
    pub const fn mcp_outputs(self, collect: bool) -> Self {
        self.with(MCP_OUTPUTS, collect)
    }

    const fn with(self, category: u8, collect: bool) -> Self {
        Self { off: if collect { self.off & !category } else { self.off | category } }
    }

    /// Returns `true` if all categories are on.
    #[inline]
    pub(crate) const fn is_all(self) -> bool {
        self.off == 0
    }

    /// Returns `true` if the attribute `key` of a span with this op may be sent.
    pub(crate) fn shows(self, op: &str, key: &str) -> bool {
        category(op, key).is_none_or(|category| self.off & category == 0)
    }
}

impl Record {
    /// Restricts which content is sent.
    #[cold]
    pub(crate) fn set_content(&mut self, content: ContentCollection) {
        self.rare.get_or_insert_default().content = Some(content);
    }

    /// Returns `true` if the attribute `key` of a span may be sent.
    #[inline]
    pub(super) fn may_send(&self, slot: Slot, key: &str) -> bool {
        let Some(content) = self.rare.as_deref().and_then(|rare| rare.content) else { return true };
        let op = self.spans.get(slot.index()).map_or("", |span| self.arena.get(span.op));
        content.shows(op, key)
    }
}

fn category(op: &str, key: &str) -> Option<u8> {
    let is_mcp = op.starts_with("mcp.");
    let category = match key {
        "messaging.kafka.message.key" | "messaging.bullmq.job.key" => QUEUES,
        "graphql.document" => GRAPHQL_DOCUMENT,
        "graphql.variables" => GRAPHQL_VARIABLES,
        "gen_ai.tool.call.arguments" if is_mcp => MCP_INPUTS,
        "gen_ai.tool.call.result" if is_mcp => MCP_OUTPUTS,
        "gen_ai.input.messages"
        | "gen_ai.system_instructions"
        | "gen_ai.embeddings.input"
        | "gen_ai.tool.call.arguments"
        | "gen_ai.tool.definitions" => GEN_AI_INPUTS,
        "gen_ai.output.messages" | "gen_ai.tool.call.result" => GEN_AI_OUTPUTS,
        _ if key.starts_with("db.query.parameter.") => DATABASE,
        _ if key.starts_with("graphql.variable.") => GRAPHQL_VARIABLES,
        _ if key.starts_with("gen_ai.prompt.variable.") => GEN_AI_INPUTS,
        _ if key.starts_with("mcp.request.argument.") => MCP_INPUTS,
        _ if key.starts_with("mcp.prompt.result.") || key.starts_with("mcp.tool.result.") => MCP_OUTPUTS,
        _ => return None,
    };
    Some(category)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_hide_their_attributes_alone() {
        let all = ContentCollection::new;
        let rows = [
            (all(), "db.query", "db.query.parameter.0", true, "the default shows everything"),
            (all().database_query_data(false), "db.query", "db.query.parameter.0", false, "parameters"),
            (all().database_query_data(false), "db.query", "db.query.text", true, "text is always allowed"),
            (
                all().queues(false),
                "queue.publish",
                "messaging.kafka.message.key",
                false,
                "the key of a message",
            ),
            (all().queues(false), "queue.publish", "messaging.message.id", true, "metadata"),
            (all().graphql_document(false), "graphql", "graphql.document", false, "the document"),
            (all().graphql_document(false), "graphql", "graphql.variable.id", true, "another category"),
            (all().graphql_variables(false), "graphql", "graphql.variable.id", false, "variables"),
            (all().gen_ai_inputs(false), "gen_ai.chat", "gen_ai.input.messages", false, "prompts"),
            (all().gen_ai_inputs(false), "gen_ai.chat", "gen_ai.output.messages", true, "answers"),
            (all().gen_ai_outputs(false), "gen_ai.chat", "gen_ai.output.messages", false, "answers"),
            (all().gen_ai_outputs(false), "gen_ai.chat", "gen_ai.tool.call.result.size", true, "a size"),
            (all().gen_ai_inputs(false), "mcp.server", "mcp.request.argument.q", false, "MCP follows"),
            (
                all().gen_ai_inputs(false).mcp_inputs(true),
                "mcp.server",
                "gen_ai.tool.call.arguments",
                true,
                "unless it is set, by the kind of span and not by the key",
            ),
            (all().mcp_outputs(false), "mcp.server", "mcp.tool.result.content", false, "results"),
            (all().mcp_outputs(false), "mcp.server", "mcp.session.id", true, "metadata"),
        ];
        for (collection, op, key, shown, reason) in rows {
            assert_eq!(collection.shows(op, key), shown, "{key}: {reason}");
        }
        assert!(all().is_all() && !all().queues(false).is_all() && all().queues(false).queues(true).is_all());
    }
}
