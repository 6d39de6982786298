#include "common/broker/properties.hpp"

#include <fmt/format.h>

#include <cmath>

#include "common/base/text.hpp"
#include "common/broker/wire.hpp"

namespace postroom::broker {

namespace {

using wire::bytes;
using wire::view;

constexpr int deepest = 16;

void append_value(std::string& out, const amqp_field_value_t& value, int depth);

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  out += json_escaped(text);
  out.push_back('"');
}

void append_table(std::string& out, const amqp_table_t& table, int depth) {
  out.push_back('{');
  for (int i = 0; i < table.num_entries; ++i) {
    if (i > 0) out.push_back(',');
    append_quoted(out, view(table.entries[i].key));
    out.push_back(':');
    append_value(out, table.entries[i].value, depth + 1);
  }
  out.push_back('}');
}

void append_array(std::string& out, const amqp_array_t& array, int depth) {
  out.push_back('[');
  for (int i = 0; i < array.num_entries; ++i) {
    if (i > 0) out.push_back(',');
    append_value(out, array.entries[i], depth + 1);
  }
  out.push_back(']');
}

template <class Number>
void append_number(std::string& out, Number value) {
  fmt::format_to(std::back_inserter(out), "{}", value);
}

void append_value(std::string& out, const amqp_field_value_t& value, int depth) {
  if (depth > deepest) {
    out += "null";
    return;
  }
  const auto finite = [&](double number) {
    if (std::isfinite(number)) return append_number(out, number);
    out += "null";
  };
  switch (value.kind) {
    case AMQP_FIELD_KIND_BOOLEAN: out += value.value.boolean != 0 ? "true" : "false"; break;
    case AMQP_FIELD_KIND_I8: append_number(out, static_cast<int>(value.value.i8)); break;
    case AMQP_FIELD_KIND_U8: append_number(out, static_cast<int>(value.value.u8)); break;
    case AMQP_FIELD_KIND_I16: append_number(out, value.value.i16); break;
    case AMQP_FIELD_KIND_U16: append_number(out, value.value.u16); break;
    case AMQP_FIELD_KIND_I32: append_number(out, value.value.i32); break;
    case AMQP_FIELD_KIND_U32: append_number(out, value.value.u32); break;
    case AMQP_FIELD_KIND_I64: append_number(out, value.value.i64); break;
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_TIMESTAMP: append_number(out, value.value.u64); break;
    case AMQP_FIELD_KIND_F32: finite(static_cast<double>(value.value.f32)); break;
    case AMQP_FIELD_KIND_F64: finite(value.value.f64); break;
    case AMQP_FIELD_KIND_DECIMAL:
      finite(static_cast<double>(value.value.decimal.value) / std::pow(10.0, value.value.decimal.decimals));
      break;
    case AMQP_FIELD_KIND_UTF8:
    case AMQP_FIELD_KIND_BYTES: append_quoted(out, view(value.value.bytes)); break;
    case AMQP_FIELD_KIND_TABLE: append_table(out, value.value.table, depth); break;
    case AMQP_FIELD_KIND_ARRAY: append_array(out, value.value.array, depth); break;
    default: out += "null"; break;  // void, and what a later protocol may bring
  }
}

std::optional<std::int64_t> integer_of(const amqp_field_value_t& value) {
  switch (value.kind) {
    case AMQP_FIELD_KIND_I8: return value.value.i8;
    case AMQP_FIELD_KIND_U8: return value.value.u8;
    case AMQP_FIELD_KIND_I16: return value.value.i16;
    case AMQP_FIELD_KIND_U16: return value.value.u16;
    case AMQP_FIELD_KIND_I32: return value.value.i32;
    case AMQP_FIELD_KIND_U32: return value.value.u32;
    case AMQP_FIELD_KIND_I64: return value.value.i64;
    default: return std::nullopt;
  }
}

}  // namespace

WireProperties::WireProperties(const messages::Envelope& envelope, std::string_view user, bool persistent)
    : source_(fmt::format("urn:postroom:{}", user)) {
  const auto set = [&](amqp_flags_t flag, amqp_bytes_t& member, std::string_view value) {
    if (value.empty()) return;
    properties_._flags |= flag;
    member = bytes(value);
  };
  set(AMQP_BASIC_CONTENT_TYPE_FLAG, properties_.content_type, "application/json");
  set(AMQP_BASIC_MESSAGE_ID_FLAG, properties_.message_id, envelope.message_id);
  set(AMQP_BASIC_TYPE_FLAG, properties_.type, envelope.type);
  set(AMQP_BASIC_CORRELATION_ID_FLAG, properties_.correlation_id, envelope.correlation_id);
  set(AMQP_BASIC_REPLY_TO_FLAG, properties_.reply_to, envelope.reply_to);
  set(AMQP_BASIC_USER_ID_FLAG, properties_.user_id, user);
  properties_._flags |= AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_HEADERS_FLAG;
  properties_.delivery_mode = persistent ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT;
  const auto time_us = to_micros(envelope.timestamp);
  properties_.timestamp = time_us > 0 ? static_cast<std::uint64_t>(time_us / 1'000'000) : 0;

  properties_.headers.entries = headers_.data();
  header("cloudEvents:specversion", "1.0");
  header("cloudEvents:id", envelope.message_id);
  header("cloudEvents:type", envelope.type);
  header("cloudEvents:source", source_);
  header("x-time-us", time_us);
  if (envelope.retry != 0) header("x-retry", envelope.retry);
  if (!envelope.assigned_board.empty()) header("x-assigned-board", envelope.assigned_board);
  if (!envelope.original_user_id.empty()) header("x-original-user-id", envelope.original_user_id);
  if (!envelope.traceparent.empty()) header("traceparent", envelope.traceparent);
}

void WireProperties::header(std::string_view name, std::string_view value) {
  auto& entry = headers_[static_cast<std::size_t>(properties_.headers.num_entries++)];
  entry.key = bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = bytes(value);
}

void WireProperties::header(std::string_view name, std::int64_t value) {
  auto& entry = headers_[static_cast<std::size_t>(properties_.headers.num_entries++)];
  entry.key = bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_I64;
  entry.value.value.i64 = value;
}

messages::Envelope envelope_of(const amqp_basic_properties_t& properties) {
  messages::Envelope envelope;
  const auto get = [&](amqp_flags_t flag, const amqp_bytes_t& member, std::string& into) {
    if ((properties._flags & flag) != 0) into = view(member);
  };
  get(AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id, envelope.message_id);
  get(AMQP_BASIC_TYPE_FLAG, properties.type, envelope.type);
  get(AMQP_BASIC_CORRELATION_ID_FLAG, properties.correlation_id, envelope.correlation_id);
  get(AMQP_BASIC_REPLY_TO_FLAG, properties.reply_to, envelope.reply_to);
  get(AMQP_BASIC_USER_ID_FLAG, properties.user_id, envelope.user_id);
  constexpr std::uint64_t latest = 253'402'300'799;  // 9999-12-31: what fits microseconds and RFC 3339
  if ((properties._flags & AMQP_BASIC_TIMESTAMP_FLAG) != 0 && properties.timestamp <= latest) {
    envelope.timestamp = from_micros(static_cast<std::int64_t>(properties.timestamp) * 1'000'000);
  }
  if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) == 0) return envelope;
  for (int i = 0; i < properties.headers.num_entries; ++i) {
    const auto& [key, value] = properties.headers.entries[i];
    const auto name = view(key);
    const auto text = [&](std::string& into) {
      if (value.kind == AMQP_FIELD_KIND_UTF8 || value.kind == AMQP_FIELD_KIND_BYTES) into = view(value.value.bytes);
    };
    if (name == "x-time-us") {
      const auto micros = integer_of(value);
      if (micros && *micros > 0 && *micros / 1'000'000 <= static_cast<std::int64_t>(latest)) envelope.timestamp = from_micros(*micros);
    } else if (name == "x-retry") {
      envelope.retry = integer_of(value).value_or(0);
    } else if (name == "x-assigned-board") {
      text(envelope.assigned_board);
    } else if (name == "x-original-user-id") {
      text(envelope.original_user_id);
    } else if (name == "traceparent") {
      text(envelope.traceparent);
    }
  }
  return envelope;
}

std::string headers_json(const amqp_basic_properties_t& properties) {
  std::string out;
  if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) == 0) return "{}";
  append_table(out, properties.headers, 0);
  return out;
}

}  // namespace postroom::broker
