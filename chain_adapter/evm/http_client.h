// HTTP/1.1 POST to one endpoint, over TCP or TLS: how JSON-RPC reaches a node. One connection is kept and reused.
//
// TLS checks the server's certificate against the system's authorities (or those of a file) and its name; there is no
// way to leave the check out. What an endpoint's URL says behind the host is often a secret of its user, so messages
// name the host alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tally::chain {

struct HttpEndpoint {
  bool tls = false;
  std::string host{};  // an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string target{};  // path and query, beginning with a slash
  bool operator==(const HttpEndpoint&) const = default;
};

/// Of http://HOST[:PORT][/PATH] or https://…; the error says what is wrong with any other text.
[[nodiscard]] std::expected<HttpEndpoint, std::string> parse_endpoint(std::string_view url);

/// A URL for people, even one that is wrong: without what may be its user's secret, which is all but scheme, host and
/// port.
[[nodiscard]] std::string shown_url(std::string_view url);

/// "https://HOST:PORT", for people.
[[nodiscard]] std::string describe(const HttpEndpoint& endpoint);

/// The addresses of a host, as texts. Throws boost::system::system_error.
using NameLookup = std::function<std::vector<std::string>(const std::string& host)>;

[[nodiscard]] std::vector<std::string> look_up_by_system(const std::string& host);

struct HttpSettings {
  std::chrono::milliseconds timeout{20'000};  // of one post: looking up the name, connecting and the exchange together
  std::uint64_t max_response_bytes = std::uint64_t{64} << 20;
  std::filesystem::path authorities{};     // certificates in PEM to trust instead of the system's
  NameLookup look_up = look_up_by_system;  // only tests lend another one
  std::stop_token stop{};                  // ends what waits for longer than a second
};

struct HttpResponse {
  unsigned status = 0;
  std::string retry_after{};  // the header, where there is one
  std::string body{};
  bool repeated = false;  // posted a second time, since a kept connection broke off
};

/// The endpoint could not be reached, broke off, took too long or did not speak HTTP.
class HttpFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Something that answers POSTs: an HttpClient, or a test's stand-in.
class HttpPoster {
 public:
  virtual ~HttpPoster() = default;
  /// Throws HttpFailure.
  [[nodiscard]] virtual HttpResponse post(const std::string& json) = 0;
  /// For people.
  [[nodiscard]] virtual std::string name() const = 0;
};

class HttpClient final : public HttpPoster {
 public:
  explicit HttpClient(HttpEndpoint endpoint, HttpSettings settings = {});
  ~HttpClient() override;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// A kept connection that the server has closed meanwhile is opened anew, once.
  [[nodiscard]] HttpResponse post(const std::string& json) override;
  [[nodiscard]] std::string name() const override;

 private:
  class Connection;

  HttpEndpoint x_endpoint;
  HttpSettings x_settings;
  std::unique_ptr<Connection> x_connection;
};

}  // namespace tally::chain
