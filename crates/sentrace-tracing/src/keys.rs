//! Names of fields, as the keys of attributes.

/// The key that Sentry's conventions have today for the name of a field; other names stay.
///
/// It knows those names that mean the same as their replacement.
pub(crate) fn key(name: &'static str) -> &'static str {
    // Most names have no dot.
    match name.split_once('.') {
        Some(("http" | "net" | "db" | "messaging" | "rpc" | "code", _)) => replacement(name).unwrap_or(name),
        _ => name,
    }
}

fn replacement(name: &str) -> Option<&'static str> {
    Some(match name {
        "code.filepath" => "code.file.path",
        "code.lineno" => "code.line.number",
        "db.mongodb.collection" => "db.collection.name",
        "db.name" => "db.namespace",
        "db.operation" => "db.operation.name",
        "db.system" => "db.system.name",
        "http.client_ip" => "client.address",
        "http.flavor" => "network.protocol.version",
        "http.method" => "http.request.method",
        "http.request_content_length" => "http.request.body.size",
        "http.response_content_length" => "http.response.body.size",
        "http.scheme" => "url.scheme",
        "http.server_name" | "net.host.name" => "server.address",
        "http.status_code" => "http.response.status_code",
        "http.url" => "url.full",
        "http.user_agent" => "user_agent.original",
        "messaging.conversation_id" => "messaging.message.conversation_id",
        "messaging.destination" => "messaging.destination.name",
        "messaging.message_id" => "messaging.message.id",
        "messaging.operation" => "messaging.operation.name",
        "messaging.protocol" | "net.protocol.name" => "network.protocol.name",
        "messaging.protocol_version" | "net.protocol.version" => "network.protocol.version",
        "messaging.url" => "url.full",
        "net.host.ip" | "net.sock.host.addr" => "network.local.address",
        "net.host.port" => "server.port",
        "net.peer.ip" | "net.sock.peer.addr" => "network.peer.address",
        "net.sock.host.port" => "network.local.port",
        "net.sock.peer.port" => "network.peer.port",
        "rpc.system" => "rpc.system.name",
        _ => return None,
    })
}
