// A server of one thread on the loopback interface that answers what a test says, over TCP or TLS.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

namespace tally::test {

/// A certificate for one name that vouches for itself, and its key.
class Certificate {
 public:
  explicit Certificate(const std::string& name);

  [[nodiscard]] X509* certificate() const { return x_certificate.get(); }
  [[nodiscard]] EVP_PKEY* key() const { return x_key.get(); }
  /// For clients to trust.
  void write_pem(const std::filesystem::path& file) const;

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> x_key;
  std::unique_ptr<X509, decltype(&X509_free)> x_certificate;
};

/// What an answer does to the connection.
struct Answer {
  std::string bytes;
  bool closes = false;
};

/// A whole answer of HTTP.
[[nodiscard]] std::string http_answer(unsigned status, const std::string& body);

class HttpServer {
 public:
  using Respond = std::function<Answer(const std::string& body)>;

  /// TLS where there is a certificate, which outlives this.
  explicit HttpServer(Respond respond, const Certificate* certificate = nullptr);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return x_port; }
  [[nodiscard]] unsigned connections() const { return x_connections; }

 private:
  void run(const std::stop_token& stop);
  void serve(int connection, const std::stop_token& stop);

  Respond x_respond;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> x_tls;
  int x_listener = -1;
  std::uint16_t x_port = 0;
  std::atomic<unsigned> x_connections = 0;
  std::jthread x_thread;
};

}  // namespace tally::test
