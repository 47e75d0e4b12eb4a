#include "chain_adapter/evm/http_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

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

std::string in_words(std::chrono::milliseconds time) {
  const auto count = time.count();
  return count % 1'000 == 0 ? std::to_string(count / 1'000) + " s" : std::to_string(count) + " ms";
}

/// A reason of OpenSSL's.
bool is_of_tls(const error_code& error, int reason) {
  return error.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<std::uint64_t>(error.value())) == reason;
}

/// What is wrong, and what to do about it.
std::string in_words(const error_code& error, std::chrono::milliseconds timeout) {
  if (error == beast::error::timeout || error == asio::error::timed_out)
    return "it takes longer than " + in_words(timeout);
  if (error == asio::error::operation_aborted) return "interrupted";
  if (error == asio::error::connection_refused) return "nothing listens there; start the node, or mend host and port";
  if (error == asio::error::host_not_found || error == asio::error::no_data)
    return "there is none of this name; mend it, or this machine's name servers";
  if (error == asio::error::host_not_found_try_again) return "the name servers do not answer; is this machine online?";
  if (is_of_tls(error, SSL_R_WRONG_VERSION_NUMBER)) return "it does not speak TLS; its URL may begin with http://";
  if (error == http::error::end_of_stream || error == asio::error::connection_reset)
    return "it broke the connection off; its URL may begin with http:// or https:// and not with the other";
  if (error.category() == make_error_code(http::error::bad_version).category())
    return "it does not speak HTTP as nodes do (" + error.message() + ")";
  return error.message();
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
  if (!is_printable(url)) return wrong("spaces, and letters that are not ASCII, have no place in a node's URL");
  const std::size_t slash = url.find('/');
  std::string_view place = url.substr(0, slash);
  endpoint.target = slash == std::string_view::npos ? "/" : std::string(url.substr(slash));
  if (place.find('@') != std::string_view::npos)
    return wrong("a user and a password in a node's URL are not sent; take a URL with a key in its path");
  if (place.find_first_of("?#") != std::string_view::npos)
    return wrong("what is behind the host begins with a slash in a node's URL");

  std::string_view port;
  if (place.starts_with('[')) {
    const std::size_t end = place.find(']');
    if (end == std::string_view::npos) return wrong("its IPv6 address has no closing bracket");
    endpoint.host = place.substr(1, end - 1);
    port = place.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return wrong("behind its IPv6 address is something else than a port");
  } else {
    const std::size_t colon = place.find(':');
    endpoint.host = place.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view{} : place.substr(colon);
  }
  if (endpoint.host.empty()) return wrong("it names no host");
  const auto number = port.empty() ? std::optional<std::uint16_t>(endpoint.tls ? 443 : 80) : parse_port(port.substr(1));
  if (!number) return wrong("its port is no number from 1 to 65535");
  endpoint.port = *number;
  return endpoint;
}

std::string shown_url(std::string_view url) {
  const std::size_t colon = url.find("://");
  const std::size_t begin = colon == std::string_view::npos ? 0 : colon + 3;
  std::string_view place = url.substr(begin);
  place = place.substr(0, place.find_first_of("/?#"));
  std::string_view behind = url.substr(begin + place.size());
  std::string shown(url.substr(0, begin));
  if (behind.find('@') != std::string_view::npos) return shown + "…";  // of a password with a slash
  if (const std::size_t at = place.rfind('@'); at != std::string_view::npos) {
    shown += "…@";
    place.remove_prefix(at + 1);
  }
  return shown + std::string(place) + (behind.size() < 2 ? "" : "/…");
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
    run();
    if (result)
      fail(what, x_secure && is_about_certificate(result) ? certificate_fault() : in_words(result, x_settings.timeout));
  }

  /// Until nothing is left to wait for. Who is told to stop leaves an answer a second to come.
  void run() {
    constexpr std::chrono::milliseconds kSlice(100);
    constexpr unsigned kSlicesLeft = 10;
    for (unsigned since_stop = 0; !x_context.stopped(); x_context.run_for(kSlice)) {
      if (x_settings.stop.stop_requested() && since_stop++ == kSlicesLeft) lowest().close();
    }
  }

  static bool is_about_certificate(const error_code& error) {
    return is_of_tls(error, SSL_R_CERTIFICATE_VERIFY_FAILED);
  }

  [[nodiscard]] std::string certificate_fault() {
    const auto fault = SSL_get_verify_result(x_secure->native_handle());
    // The check of the name says no more than that it failed.
    const bool is_told = fault != X509_V_OK && fault != X509_V_ERR_UNSPECIFIED;
    return std::string("its certificate is not taken: ") +
           (is_told ? X509_verify_cert_error_string(fault) : "it is of another name") +
           "; name the host as its certificate does, or have an authority in the system's list vouch for it";
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
    using Found = std::expected<std::vector<std::string>, error_code>;
    std::packaged_task<Found()> task([look_up = x_settings.look_up, host = x_endpoint.host]() -> Found {
      try {
        return look_up(host);
      } catch (const boost::system::system_error& error) {
        return std::unexpected(error.code());
      }
    });
    std::future<Found> answer = task.get_future();
    std::thread(std::move(task)).detach();
    if (answer.wait_until(deadline) != std::future_status::ready)
      fail(kWhat, in_words(beast::error::timeout, x_settings.timeout));
    const Found found = answer.get();
    if (!found) fail(kWhat, in_words(found.error(), x_settings.timeout));
    Addresses addresses;
    for (const std::string& address : *found) {
      addresses.emplace_back(asio::ip::make_address(address), x_endpoint.port);
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
