#include "chain_adapter/evm/http_client.h"

#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>
#include <future>
#include <optional>
#include <thread>
#include <utility>

namespace tally::chain {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Addresses = std::vector<asio::ip::tcp::endpoint>;
using Deadline = std::chrono::steady_clock::time_point;
using Plain = beast::tcp_stream;
using Secure = beast::ssl_stream<beast::tcp_stream>;

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

/// Whether a text can stand in a request line or a header as it is.
bool is_printable(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c >= 0x7f) return false;
  }
  return true;
}

std::string host_header(const HttpEndpoint& endpoint) {
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? "[" + endpoint.host + "]" : endpoint.host;
  return host + ":" + std::to_string(endpoint.port);
}

}  // namespace

std::expected<HttpEndpoint, std::string> parse_endpoint(std::string_view url) {
  const auto wrong = [](const char* what) { return std::unexpected(std::string(what)); };
  HttpEndpoint endpoint;
  if (url.starts_with(kHttps)) {
    endpoint.tls = true;
    url.remove_prefix(kHttps.size());
  } else if (url.starts_with(kHttp)) {
    url.remove_prefix(kHttp.size());
  } else {
    return wrong("a node's URL begins with http:// or https://");
  }
  if (!is_printable(url)) return wrong("a node's URL holds spaces or bytes that are not ASCII");
  const std::size_t slash = url.find('/');
  std::string_view place = url.substr(0, slash);
  endpoint.target = slash == std::string_view::npos ? "/" : std::string(url.substr(slash));
  if (place.find_first_of("@?#") != std::string_view::npos) return wrong("a node's URL holds more than host and port");

  std::string_view port;
  if (place.starts_with('[')) {
    const std::size_t end = place.find(']');
    if (end == std::string_view::npos) return wrong("a node's URL has an IPv6 address without its closing bracket");
    endpoint.host = place.substr(1, end - 1);
    port = place.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return wrong("a node's URL has something behind its IPv6 address");
  } else {
    const std::size_t colon = place.find(':');
    endpoint.host = place.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view{} : place.substr(colon);
  }
  if (endpoint.host.empty()) return wrong("a node's URL names no host");
  const auto number = port.empty() ? std::optional<std::uint16_t>(endpoint.tls ? 443 : 80) : parse_port(port.substr(1));
  if (!number) return wrong("a node's URL has a port that is none");
  endpoint.port = *number;
  return endpoint;
}

std::string describe(const HttpEndpoint& endpoint) {
  return std::string(endpoint.tls ? kHttps : kHttp) + host_header(endpoint);
}

std::vector<std::string> look_up_by_system(const std::string& host) {
  asio::io_context context;
  std::vector<std::string> addresses;
  for (const auto& found : asio::ip::tcp::resolver(context).resolve(host, {})) {
    addresses.push_back(found.endpoint().address().to_string());
  }
  return addresses;
}

/// One connection. Every wait ends with the deadline: operations are started and the context is run until they end.
class HttpClient::Connection {
 public:
  Connection(const HttpEndpoint& endpoint, const HttpSettings& settings, Deadline deadline)
      : x_endpoint(endpoint), x_settings(settings), x_tls(asio::ssl::context::tls_client) {
    open(deadline);
  }

  HttpResponse exchange(const std::string& json, Deadline deadline) {
    lowest().expires_at(deadline);
    http::request<http::string_body> request(http::verb::post, x_endpoint.target, 11);
    request.set(http::field::host, host_header(x_endpoint));
    request.set(http::field::content_type, "application/json");
    request.set(http::field::accept, "application/json");
    request.set(http::field::user_agent, "tally");
    request.body() = json;
    request.prepare_payload();
    return x_secure ? exchange_on(*x_secure, request) : exchange_on(*x_plain, request);
  }

  /// Whether the last exchange left the connection open.
  [[nodiscard]] bool keeps_alive() const { return x_keeps_alive; }

 private:
  /// Runs what `start` begins, which hands its result to the handler that it is given.
  template <class Start>
  void wait(const char* what, Start start) {
    error_code result = asio::error::would_block;
    start([&result](error_code error, auto&&...) { result = error; });
    x_context.restart();
    x_context.run();
    if (result) fail(what, result.message());
  }

  [[noreturn]] void fail(const std::string& what, const std::string& why) const {
    throw HttpFailure(describe(x_endpoint) + ": " + what + ": " + why);
  }

  Plain& lowest() { return x_secure ? beast::get_lowest_layer(*x_secure) : *x_plain; }

  void open(Deadline deadline) {
    if (x_endpoint.tls) {
      trust();
      x_secure.emplace(x_context, x_tls);
      x_secure->set_verify_callback(asio::ssl::host_name_verification(x_endpoint.host));
      // The server may have certificates for several names.
      if (SSL_ctrl(x_secure->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                   x_endpoint.host.data()) != 1)
        throw HttpFailure(describe(x_endpoint) + ": its name does not fit TLS");
    } else {
      x_plain.emplace(x_context);
    }
    const Addresses addresses = x_endpoint.host == "localhost" ? loopback() : look_up(deadline);
    lowest().expires_at(deadline);
    wait("cannot connect", [&](auto handler) { lowest().async_connect(addresses, handler); });
    if (x_secure) {
      wait("no secure connection",
           [&](auto handler) { x_secure->async_handshake(asio::ssl::stream_base::client, handler); });
    }
  }

  /// Nothing can interrupt the system's lookup, so it has a thread of its own, and is left alone where it takes too
  /// long.
  [[nodiscard]] Addresses look_up(Deadline deadline) const {
    constexpr const char* kWhat = "cannot look up the host";
    std::packaged_task<std::vector<std::string>()> task(
        [look_up = x_settings.look_up, host = x_endpoint.host] { return look_up(host); });
    std::future<std::vector<std::string>> found = task.get_future();
    std::thread(std::move(task)).detach();
    if (found.wait_until(deadline) != std::future_status::ready) fail(kWhat, "it takes too long");
    Addresses addresses;
    try {
      for (const std::string& address : found.get()) {
        addresses.emplace_back(asio::ip::make_address(address), x_endpoint.port);
      }
    } catch (const std::runtime_error& error) {
      fail(kWhat, error.what());
    }
    return addresses;
  }

  /// What `localhost` means whatever name servers say of it, and where there are none: RFC 6761, section 6.3.
  [[nodiscard]] Addresses loopback() const {
    return {{asio::ip::address_v4::loopback(), x_endpoint.port}, {asio::ip::address_v6::loopback(), x_endpoint.port}};
  }

  void trust() {
    error_code error;
    x_tls.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    x_tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                      asio::ssl::context::no_tlsv1_1);
    if (x_settings.authorities.empty()) {
      error = x_tls.set_default_verify_paths(error);
    } else {
      error = x_tls.load_verify_file(x_settings.authorities.string(), error);
    }
    if (error) throw HttpFailure("cannot read the certificates of authorities: " + error.message());
  }

  template <class Stream>
  HttpResponse exchange_on(Stream& stream, http::request<http::string_body>& request) {
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(x_settings.max_response_bytes);
    wait("cannot send", [&](auto handler) { http::async_write(stream, request, handler); });
    wait("no answer", [&](auto handler) { http::async_read(stream, buffer, parser, handler); });
    http::response<http::string_body> response = parser.release();
    x_keeps_alive = response.keep_alive();
    return {.status = response.result_int(),
            .retry_after = std::string(response[http::field::retry_after]),
            .body = std::move(response.body())};
  }

  HttpEndpoint x_endpoint;
  const HttpSettings& x_settings;
  asio::io_context x_context;
  asio::ssl::context x_tls;
  std::optional<Plain> x_plain;
  std::optional<Secure> x_secure;
  bool x_keeps_alive = false;
};

HttpClient::HttpClient(HttpEndpoint endpoint, HttpSettings settings)
    : x_endpoint(std::move(endpoint)), x_settings(std::move(settings)) {}

HttpClient::~HttpClient() = default;

std::string HttpClient::name() const { return describe(x_endpoint); }

HttpResponse HttpClient::post(const std::string& json) {
  const Deadline deadline = std::chrono::steady_clock::now() + x_settings.timeout;
  const bool was_connected = x_connection != nullptr;
  if (was_connected) {
    auto kept = std::move(x_connection);
    try {
      HttpResponse response = kept->exchange(json, deadline);
      if (kept->keeps_alive()) x_connection = std::move(kept);
      return response;
    } catch (const HttpFailure&) {
      if (std::chrono::steady_clock::now() >= deadline) throw;
      // The server may have closed it since the last exchange.
      kept.reset();
    }
  }
  auto fresh = std::make_unique<Connection>(x_endpoint, x_settings, deadline);
  HttpResponse response = fresh->exchange(json, deadline);
  response.repeated = was_connected;
  if (fresh->keeps_alive()) x_connection = std::move(fresh);
  return response;
}

}  // namespace tally::chain
