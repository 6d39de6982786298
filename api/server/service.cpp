#include "api/server/service.hpp"

#include <fmt/format.h>

#include "api/download.hpp"
#include "api/problem.hpp"
#include "common/base/log.hpp"
#include "common/blob/store.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::api {

namespace {

// The net under the handlers: a bug becomes a 500 that says nothing but where to look.
Reply broken(const Visit& visit, std::string_view what) {
  static auto& count = metrics::counter("handler_failures");
  count.add();
  log::error("a handler failed", {{"route", name_of(*visit.route)}, {"correlation_id", visit.request.command_id}, {"what", std::string{what}}});
  return to_reply(Problem{.status = 500,
                          .slug = "internal",
                          .title = "Something is wrong on our side",
                          .detail = "the log of postroom-api tells more",
                          .instance = visit.request.path,
                          .command_id = visit.request.command_id});
}

constexpr std::size_t part_size = 128 * 1024;  // bytes of a file in memory for one download
constexpr int most_downloads = 64;             // at a time

// What a row refers to is kept as long as the row: its file is there, or the store was tampered with or brought back without it. That is
// for the operator to hear of; whoever asks can do nothing but know that it is gone.
Reply blob_missing(const Visit& visit, const Error& error) {
  static auto& count = metrics::counter("blobs_missing");
  count.add();
  log::error("a blob cannot be sent", {{"path", std::string{visit.request.path}}, {"why", error.text()}});
  if (error.code() == Code::io) return unavailable("blob-unavailable", "its bytes cannot be read at the moment; ask again", visit.request.path);
  return to_reply(Problem{.status = 410,
                          .slug = "blob-missing",
                          .title = "Its bytes are missing or damaged",
                          .detail = "the blob store does not have what was kept; the log of postroom-api names the file",
                          .instance = visit.request.path});
}

}  // namespace

Service::Service(Ports ports, Performer& performer, Readers& readers)
    : ports_(std::move(ports)), performer_(performer), readers_(readers), cache_(ports_.clock) {
  metrics::gauge("api_downloads", [count = downloads_] { return static_cast<double>(count->load()); });
}

void Service::answer(Visit& visit, Done done) {
  switch (visit.route->needs) {
    case Needs::nothing: return run_on_loop(visit, std::move(done));
    case Needs::board:
      if (const auto known = cache_.find(visit.request.id)) return run_on_loop(visit, std::move(done), known);
      return run_on_reader(visit, std::move(done));
    case Needs::state:
    case Needs::readiness: return run_on_reader(visit, std::move(done));
  }
}

void Service::run_on_loop(Visit& visit, Done done, std::optional<BoardFacts> board) {
  carry_out(handle(visit, nullptr, {}, board), visit, std::move(done));
}

void Service::run_on_reader(Visit& visit, Done done) {
  std::vector<std::string> trouble;
  if (visit.route->needs == Needs::readiness) trouble = ports_.link_trouble();
  auto shared_done = std::make_shared<Done>(std::move(done));
  const bool taken = readers_.read([this, &visit, shared_done, trouble = std::move(trouble)](store::Reading* reading) {
    // std::function wants to copy what it holds, a plan need not be copied: it travels in a box.
    auto plan = std::make_shared<Plan>(handle(visit, reading, trouble));
    ports_.loop([this, &visit, shared_done, plan] { carry_out(std::move(*plan), visit, std::move(*shared_done)); });
  });
  if (!taken) (*shared_done)(unavailable("overloaded", "too many requests are waiting to be read; ask again", visit.request.path));
}

Plan Service::handle(const Visit& visit, store::Reading* reading, std::vector<std::string> link_trouble, std::optional<BoardFacts> board) const {
  if (visit.route->needs == Needs::state && reading == nullptr) {
    return unavailable("state-unavailable", "there is no state to read yet: the ledger makes it at its first start", visit.request.path);
  }
  try {
    const CachedBoards boards{cache_, reading, board};
    const auto has_blob = [this](std::string_view sha256, std::int64_t size) {
      return blob::Store::for_reading(ports_.blobs).has({std::string{sha256}, size});
    };
    const Context context{.settings = ports_.settings,
                          .boards = boards,
                          .seal = ports_.seal,
                          .reading = reading,
                          .link_trouble = std::move(link_trouble),
                          .has_blob = has_blob};
    Plan plan = visit.route->handler(visit.request, context);
    if (auto* download = std::get_if<Download>(&plan)) return opened(std::move(*download), visit);
    return plan;
  } catch (const std::exception& thrown) {
    return broken(visit, thrown.what());
  }
}

// On the thread that ran the handler: opening a file may take the disk's time.
Reply Service::opened(Download download, const Visit& visit) const {
  if (download.size > largest_download) {
    return to_reply(Problem{.status = 422,
                            .slug = "too-large-to-send",
                            .title = "Too large to be sent from here",
                            .detail = fmt::format("{} bytes; at most {} are sent", download.size, largest_download),
                            .instance = visit.request.path});
  }
  // Its place is free again when the session lets the file go.
  if (downloads_->fetch_add(1) >= most_downloads) {
    downloads_->fetch_sub(1);
    return unavailable("too-many-downloads", "too many files are being sent; ask again", visit.request.path);
  }
  const std::shared_ptr<void> place{nullptr, [count = downloads_](void*) { count->fetch_sub(1); }};
  auto file = FileBody::open(ports_.blobs, download.sha256, download.size);
  if (!file) return blob_missing(visit, file.error());
  Reply reply{.status = 200, .media_type = safe_media_type(download.media_type)};
  reply.with("Content-Disposition", content_disposition(download.file_name, reply.media_type));
  reply.file = std::shared_ptr<FileBody>{file->get(), [file = *file, place](FileBody*) {}};
  return reply;
}

void Service::read_part(std::shared_ptr<FileBody> file, Took took) {
  auto shared_took = std::make_shared<Took>(std::move(took));
  readers_.go_on([this, file = std::move(file), shared_took](store::Reading*) {
    auto part = file->next(part_size);
    if (!part) log::error("a download broke off", {{"why", part.error().text()}});
    ports_.loop([shared_took, bytes = part ? std::move(*part) : std::string{}]() mutable { (*shared_took)(std::move(bytes)); });
  });
}

void Service::carry_out(Plan plan, const Visit& visit, Done done) {
  const auto path = visit.request.path;
  if (auto* reply = std::get_if<Reply>(&plan)) return done(std::move(*reply));
  if (auto* promise = std::get_if<Promise>(&plan)) return performer_.perform(std::move(*promise), path, std::move(done));
  if (auto* exchange = std::get_if<Exchange>(&plan)) return performer_.perform(std::move(*exchange), path, std::move(done));
  if (auto* what = std::get_if<Gather>(&plan)) return ports_.gather(*what, std::move(done));
  done(broken(visit, "a download was not opened"));
}

}  // namespace postroom::api
